"""Trainers in two processes: one record, weighted over both; keys at the same update on both."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from loop_client import LoopClient
from ranks import on_all, warm_optimizer
from tiny_texts import WORDS, Texts
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from engine.log.commands import Pause, Resume
from engine.log.records import State, StateChanged
from gdtui.api.run import TrainedVariant, open_run

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")
lightning = pytest.importorskip("lightning.pytorch")
pytestmark = pytest.mark.integration

SIZE, BATCH = 2, 4


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    """Import once here what every process would import."""
    warm_optimizer()
    assert transformers.Trainer
    assert transformers.GPT2LMHeadModel


class Seen:
    """Losses with their terms, and lrs, as one process saw them."""

    def __init__(self) -> None:
        self.losses: list[list[float]] = []
        self.lrs: list[float] = []
        self.steps: list[int] = []
        """Micro-batches of each update."""

    def see_steps(self, optimizer: Any) -> None:
        def see(*_: Any) -> None:
            self.lrs.append(optimizer.param_groups[0]["lr"])
            self.steps.append(len(self.losses))

        optimizer.register_step_post_hook(see)

    def save(self, path: Path, rank: int, weights: Tensor) -> None:
        facts = {"losses": self.losses, "lrs": self.lrs, "steps": self.steps}
        (path / f"{rank}.json").write_text(json.dumps(facts))
        torch.save(weights, path / f"{rank}.pt")


def weights_of(model: nn.Module) -> Tensor:
    return torch.cat([each.detach().reshape(-1) for each in model.parameters()])


# --- transformers ---------------------------------------------------------------------------------


def trainer_for(path: Path, seen: Seen, **options: Any) -> Any:
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=WORDS, n_positions=16, n_embd=8, n_layer=1, n_head=2
    )
    model = transformers.GPT2LMHeadModel(config)

    def see(model: Any, args: Any, kwargs: dict[str, Any], outputs: Any) -> None:
        if model.training and "labels" in kwargs:
            labels = kwargs["labels"][:, 1:].reshape(-1)
            logits = outputs.logits.detach()[:, :-1].reshape(-1, WORDS)
            terms = int((labels != -100).sum())
            seen.losses.append([float(nn.functional.cross_entropy(logits, labels)), terms])

    model.register_forward_hook(see, with_kwargs=True)
    arguments = {
        "per_device_train_batch_size": BATCH,
        "num_train_epochs": 2,
        "gradient_accumulation_steps": 2,
        "learning_rate": 1e-2,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
        "logging_strategy": "no",
        "eval_strategy": "epoch",
        **options,
    }
    trainer = transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(output_dir=str(path / "out"), **arguments),
        train_dataset=Texts(34),
        eval_dataset=Texts(6),
    )
    trainer.create_optimizer()
    seen.see_steps(trainer.optimizer)
    return trainer


def train_texts(rank: int, path: Path, viewer: Any = None) -> None:
    from gdtui.integrations.transformers import tracked

    plain = trainer_for(path, Seen())
    plain.train()
    seen = Seen()
    trainer = tracked(trainer_for(path, seen), name="mine", run_dir=path / "run")
    trainer.train()
    assert torch.equal(weights_of(trainer.model), weights_of(plain.model))
    seen.save(path, rank, weights_of(trainer.model))
    close(trainer)


def close(trainer: Any) -> None:
    for each in trainer.callback_handler.callbacks:
        if hasattr(each, "record"):
            each.record.close()


def variant(path: Path) -> TrainedVariant:
    return open_run(path / "run").variants["mine"]


def facts(path: Path) -> list[dict[str, Any]]:
    return [json.loads((path / f"{rank}.json").read_text()) for rank in range(SIZE)]


def weighted(path: Path) -> list[float]:
    """The mean of each micro-batch over the terms of all processes."""
    pairs = zip(*(np.array(each["losses"]) for each in facts(path)), strict=True)
    return [sum(loss * terms for loss, terms in pair) / sum(pair)[1] for pair in pairs]


def test_transformers_record_the_loss_of_all_processes(tmp_path: Path) -> None:
    on_all(SIZE, tmp_path, train_texts)
    found = variant(tmp_path)
    assert (found.state, found.incomplete) == (State.FINISHED, "")
    rows = found.latest.batches
    np.testing.assert_allclose(rows.loss, np.array(weighted(tmp_path), np.float32), rtol=1e-5)
    assert rows.batch_size.tolist()[:4] == [SIZE * BATCH] * 4
    assert found.latest.started is not None
    assert found.latest.started.device == "cpu × 2 ranks"
    resolved = found.settings.resolve(found.latest.started.n)
    assert resolved.effective_batch == BATCH * 2 * SIZE
    assert [each.epoch for each in found.latest.evaluations] == [1, 2]
    assert len(found.latest.evaluations) == 2
    steps = facts(tmp_path)[0]["steps"]
    norms = np.isfinite(found.latest.scalars["grad_norm"])
    assert [place + 1 for place in np.flatnonzero(norms)] == steps


class Viewer(transformers.TrainerCallback):  # type: ignore[misc]
    """Commands the training from the process of rank 0, before some updates."""

    def __init__(self, path: Path, actions: dict[int, Callable[[LoopClient], object]]) -> None:
        self._path, self._actions = path, actions

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        action = self._actions.pop(state.global_step + 1, None)
        if action is not None and state.is_world_process_zero:
            act(self._path, action)


def act(path: Path, action: Callable[[LoopClient], object]) -> None:
    client = LoopClient(path / "run")
    action(client)
    client.close()


def pause(path: Path) -> Callable[[LoopClient], object]:
    """Pause; another process resumes once the log says so."""
    import threading

    def resume() -> None:
        while variant(path).state is not State.PAUSED:
            time.sleep(0.02)
        act(path, lambda client: client.order(Resume(id=0)))

    def order(client: LoopClient) -> None:
        client.order(Pause(id=0))
        threading.Thread(target=resume).start()

    return order


def obey_texts(rank: int, path: Path) -> None:
    from gdtui.integrations.transformers import tracked

    seen = Seen()
    trainer = trainer_for(path, seen, num_train_epochs=500, eval_strategy="no")
    actions = {
        2: lambda client: client.change(lr=0.02),
        5: pause(path),
        20: lambda client: client.end(),
    }
    trainer.add_callback(Viewer(path, actions))
    tracked(trainer, name="mine", run_dir=path / "run").train()
    seen.save(path, rank, weights_of(trainer.model))
    close(trainer)


def assert_obeyed_together(path: Path) -> TrainedVariant:
    """Both processes took the same steps with the same lrs, which the log has."""
    first, second = facts(path)
    assert (first["lrs"], first["steps"]) == (second["lrs"], second["steps"])
    assert torch.equal(torch.load(path / "0.pt"), torch.load(path / "1.pt"))
    found = variant(path)
    rows = found.latest.batches
    assert len(rows) == len(first["losses"])
    np.testing.assert_allclose(rows.loss, np.array(weighted(path), np.float32), rtol=1e-5)
    by_update = dict(zip(rows.update.tolist(), rows.lr.tolist(), strict=True))
    assert [*by_update.values()] == pytest.approx(first["lrs"])
    states = [each.state for each in found.latest.records if isinstance(each, StateChanged)]
    assert [each.name for each in states] == ["RUNNING", "PAUSED", "RUNNING", "STOPPED"]
    return found


def test_keys_reach_all_processes_of_transformers(tmp_path: Path) -> None:
    on_all(SIZE, tmp_path, obey_texts)
    found = assert_obeyed_together(tmp_path)
    (changed,) = found.latest.changes
    assert changed.settings.lr == 0.02


# --- Lightning ------------------------------------------------------------------------------------


class Regression(lightning.LightningModule):
    """A small problem that notes what it sees; a viewer acts on rank 0."""

    def __init__(self, path: Path, actions: dict[int, Callable[[LoopClient], object]]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Linear(3, 1)
        self.seen = Seen()
        self._path, self._actions = path, actions

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        action = self._actions.pop(len(self.seen.losses), None)
        if action is not None and self.global_rank == 0:
            act(self._path, action)
        x, y = batch
        loss = nn.functional.mse_loss(self.net(x), y)
        self.seen.losses.append([float(loss.detach()), len(x)])
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.05)
        self.seen.see_steps(optimizer)
        return optimizer


def obey_regression(rank: int, path: Path) -> None:
    from gdtui.integrations.lightning import GdtuiCallback

    actions = {
        3: lambda client: client.change(lr=0.02, accumulation_steps=4),
        16: pause(path),
        60: lambda client: client.end(),
    }
    callback = GdtuiCallback(name="mine", run_dir=path / "run")
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=SIZE,
        strategy=lightning.strategies.DDPStrategy(process_group_backend="gloo"),
        max_epochs=500,
        accumulate_grad_batches=2,
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    torch.manual_seed(1)
    x = torch.randn(88, 3)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=BATCH, shuffle=True)
    module = Regression(path, actions)
    trainer.fit(module, loader)
    module.seen.save(path, rank, weights_of(module))
    callback.record.close()


def test_keys_reach_all_processes_of_lightning(tmp_path: Path) -> None:
    on_all(SIZE, tmp_path, obey_regression)
    found = assert_obeyed_together(tmp_path)
    assert found.latest.started is not None
    assert found.latest.started.device == "cpu × 2 ranks"
    (changed,) = found.latest.changes
    assert (changed.settings.lr, changed.settings.accumulation_steps) == (0.02, 4)
    updates = found.latest.batches.update.tolist()
    sizes = [updates.count(each) for each in {*updates}]
    assert sizes[0] == 2
    assert 4 in sizes
