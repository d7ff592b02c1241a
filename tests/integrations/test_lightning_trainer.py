"""A Trainer of Lightning trains as without gdtui; every micro-batch is recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from loop_client import LoopClient
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from engine.log.records import State
from engine.session.host.client import HostError
from gdtui.api.run import TrainedVariant, open_run

lightning = pytest.importorskip("lightning.pytorch")
pytestmark = pytest.mark.integration

SAMPLES, BATCH = 26, 4
SIZES = [4, 4, 4, 4, 4, 4, 2]


class Regression(lightning.LightningModule):
    """A small problem, the same each time it is made; it notes what it sees."""

    def __init__(self, *, is_manual: bool = False, every: int = 1) -> None:
        super().__init__()
        self.every = every
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.1), nn.Linear(4, 1))
        self.automatic_optimization = not is_manual
        self.losses: list[float] = []
        self.lrs: list[float] = []
        self.norms: list[float] = []

    def mse(self, batch: Any) -> Tensor:
        x, y = batch
        return nn.functional.mse_loss(self.net(x), y)

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        loss = self.mse(batch)
        self.losses.append(float(loss.detach()))
        self.log("train_loss", loss)
        if self.automatic_optimization:
            return {"loss": loss, "other": 1}
        self.manual_backward(loss)
        if (batch_idx + 1) % self.every == 0 or batch_idx + 1 == len(SIZES):
            for optimizer in self.optimizers():
                optimizer.step()
                optimizer.zero_grad()
        return None

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.log("val_loss", self.mse(batch), batch_size=len(batch[0]))
        self.log("val_error", self.mse(batch).sqrt(), batch_size=len(batch[0]))

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        gradients = [each.grad for each in self.net.parameters() if each.grad is not None]
        self.norms.append(float(nn.utils.get_total_norm(gradients)))

    def configure_optimizers(self) -> Any:
        if not self.automatic_optimization:
            return [torch.optim.SGD(each.parameters(), lr=0.05) for each in self.net[::2]]
        groups = [{"params": self.net[0].parameters()}, {"params": self.net[2].parameters()}]
        groups[1]["lr"] = 0.01
        optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9)
        optimizer.register_step_pre_hook(
            lambda *_: self.lrs.append(optimizer.param_groups[0]["lr"])
        )
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def fit(model: Any, callbacks: list[Any], **options: Any) -> Any:
    lightning.seed_everything(3, verbose=False)
    x = torch.randn(SAMPLES, 3)
    data = TensorDataset(x, x.sum(1, keepdim=True).sin())
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=callbacks,
        **{"max_epochs": 2, **options},
    )
    loaders = [DataLoader(data, BATCH, shuffle=each) for each in (True, False)]
    trainer.fit(model, *loaders)
    return trainer


def callback(tmp_path: Path) -> Any:
    from gdtui.integrations.lightning import GdtuiCallback

    return GdtuiCallback(name="mine", run_dir=tmp_path / "run")


def logged(tmp_path: Path) -> TrainedVariant:
    found = open_run(tmp_path / "run").variants["mine"]
    assert not found.incomplete
    return found


def updates(steps: int, epochs: int = 2) -> list[int]:
    per_epoch = -(-len(SIZES) // steps)
    return [e * per_epoch + i // steps + 1 for e in range(epochs) for i in range(len(SIZES))]


@pytest.mark.parametrize("accumulation", [1, 3])
def test_every_loss_and_lr_is_recorded(tmp_path: Path, accumulation: int) -> None:
    """With the weights of the untouched training, the loss as the module returned it."""
    plain, model, record = Regression(), Regression(), callback(tmp_path)
    options = {"accumulate_grad_batches": accumulation, "gradient_clip_val": 0.5}
    fit(plain, [], **options)
    trainer = fit(model, [record], **options)
    record.record.close()
    assert "training_step" not in vars(model)
    for one, other in zip(plain.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)
    found = logged(tmp_path)
    rows = found.latest.batches
    assert np.array_equal(rows.loss, np.array(model.losses, np.float32))
    assert rows.batch_size.tolist() == SIZES * 2
    assert rows.epoch.tolist() == [1] * 7 + [2] * 7
    assert rows.update.tolist() == updates(accumulation)
    assert rows.lr.tolist() == [model.lrs[each - 1] for each in rows.update]
    norms = found.latest.scalars["grad_norm"]
    np.testing.assert_allclose(norms[~np.isnan(norms)], model.norms, rtol=1e-6)
    assert found.state is State.FINISHED
    assert [(each.epoch, each.batches) for each in found.latest.evaluations] == [(1, 7), (2, 14)]
    last = found.latest.evaluations[-1]
    assert last.validation_loss == float(trainer.callback_metrics["val_loss"])
    assert last.metrics == {"val_error": float(trainer.callback_metrics["val_error"])}


@pytest.mark.parametrize("every", [1, 2])
def test_manual_optimization(tmp_path: Path, every: int, caplog: pytest.LogCaptureFixture) -> None:
    plain, model, record = [Regression(is_manual=True, every=every) for _ in range(2)] + [
        callback(tmp_path)
    ]
    fit(plain, [])
    fit(model, [record])
    record.record.close()
    for one, other in zip(plain.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)
    rows = logged(tmp_path).latest.batches
    assert np.array_equal(rows.loss, np.array(model.losses, np.float32))
    assert rows.update.tolist() == updates(every)
    assert rows.lr.tolist() == [0.05] * 14
    assert "2 optimizers" in caplog.text


@pytest.fixture
def keys() -> Callable[..., Any]:
    """`keys(tmp_path, {batch: action})`: a callback that acts as a viewer before a batch."""

    class Keys(lightning.Callback):
        def __init__(self, path: Path, actions: dict[int, Any]) -> None:
            self.path, self.actions, self.count = path, actions, 0

        def on_train_batch_start(self, *_: Any) -> None:
            self.count += 1
            if self.count in self.actions:
                client = LoopClient(self.path)
                self.actions[self.count](client)
                client.close()

    return lambda path, actions: Keys(path / "run", actions)


def test_keys_change_lr_and_accumulation_and_end_the_training(
    tmp_path: Path, keys: Callable[..., Any]
) -> None:
    model, record = Regression(), callback(tmp_path)

    def refused(client: LoopClient) -> None:
        with pytest.raises(HostError, match="batch size stays: Lightning keeps the loader"):
            client.change(batch_size=8)

    actions = {
        1: refused,
        2: lambda client: client.change(lr=0.1),
        4: lambda client: client.change(accumulation_steps=3),
        9: lambda client: client.change(accumulation_steps=2),
        12: lambda client: client.end(),
    }
    trainer = fit(model, [record, keys(tmp_path, actions)], max_epochs=3)
    record.record.close()
    found = logged(tmp_path)
    rows = found.latest.batches
    # 3 from the 7th batch on, a multiple of 3 in its epoch; 2 from the 14th, the first of its kind
    assert rows.update.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 9, 9, 9]
    assert trainer.global_step == rows.update[-1]
    factors = [1, 1, *[2] * 7]
    assert rows.lr[[0, 1, 2, 3, 4, 5, 6, 7, 10]].tolist() == pytest.approx(
        [0.05 * 0.9**i * factor for i, factor in enumerate(factors)]
    )
    assert found.state is State.STOPPED
    assert "2 times that of the script's schedule" in found.latest.changes[0].note


@pytest.mark.parametrize("broken", ["record.chunking.ChunkBuilder.add", "trainers.record.begin"])
def test_a_fault_leaves_the_training_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    broken: str,
) -> None:
    plain, model = Regression(), Regression()
    fit(plain, [])

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(f"engine.tracking.{broken}", fail)
    fit(model, [callback(tmp_path)])
    for one, other in zip(plain.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)
    said = capfd.readouterr().err.splitlines()
    assert len([each for each in said if each.startswith("gdtui:")]) == 1


def test_an_exception_and_an_early_stop_are_recorded(tmp_path: Path) -> None:
    class Ending(lightning.Callback):
        """Ends the training after its third batch."""

        def __init__(self, error: Exception | None) -> None:
            self.error = error

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            if trainer.global_step == 3:
                trainer.should_stop = True
                if self.error is not None:
                    raise self.error

    for name, error in (("stopped", None), ("failed", ArithmeticError("no number"))):
        record = callback(tmp_path / name)
        model = Regression()
        if error is None:
            fit(model, [Ending(error), record])
        else:
            with pytest.raises(ArithmeticError):
                fit(model, [record, Ending(error)])
        record.record.close()
        assert "training_step" not in vars(model)
    stopped, failed = logged(tmp_path / "stopped"), logged(tmp_path / "failed")
    assert stopped.detail == "the Trainer stopped before its last epoch"
    assert len(stopped.latest.losses) == 3
    assert (failed.state, failed.detail) == (State.FAILED, "ArithmeticError: no number")
