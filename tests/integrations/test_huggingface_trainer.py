"""A Trainer of transformers trains as without gdtui; every micro-batch is recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_texts import WORDS, Texts
from torch import Tensor, nn

from engine.log.records import State
from gdtui.api.run import Generation, TrainedVariant, open_run

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytestmark = pytest.mark.integration

BATCH = 4


class Seen:
    """Losses and lrs that the hooks of this test saw."""

    def __init__(self, model: Any) -> None:
        self.losses: list[float] = []
        self.lrs: list[float] = []
        self.norms: list[float] = []
        """The norm of each update's gradient; after the Trainer has clipped it."""
        model.register_forward_hook(self._see_loss, with_kwargs=True)

    def _see_loss(self, model: Any, args: Any, kwargs: dict[str, Any], outputs: Any) -> None:
        if model.training:
            labels = kwargs["labels"][:, 1:].reshape(-1)
            logits = outputs.logits.detach()[:, :-1].reshape(-1, WORDS)
            self.losses.append(float(nn.functional.cross_entropy(logits, labels)))

    def see_steps(self, optimizer: Any) -> None:
        optimizer = getattr(optimizer, "optimizer", optimizer)
        parameters = [each for group in optimizer.param_groups for each in group["params"]]

        def see(*_: Any) -> None:
            self.lrs.append(optimizer.param_groups[0]["lr"])
            self.norms.append(float(nn.utils.get_total_norm([p.grad for p in parameters])))

        optimizer.register_step_pre_hook(see)


def trainer_for(folder: Path, **options: Any) -> tuple[Any, Seen]:
    """A Trainer of a tiny language model; the same each time."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=WORDS, n_positions=16, n_embd=8, n_layer=1, n_head=2
    )
    model = transformers.GPT2LMHeadModel(config)
    seen = Seen(model)
    data = options.pop("train_dataset", Texts(18))
    callbacks = [transformers.TrainerCallback(), *options.pop("callbacks", [])]
    kind = options.pop("kind", transformers.Trainer)
    arguments = {
        "per_device_train_batch_size": BATCH,
        "num_train_epochs": 2,
        "learning_rate": 1e-2,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
        "logging_strategy": "no",
        **options,
    }
    trainer = kind(
        model=model,
        args=transformers.TrainingArguments(output_dir=str(folder / "out"), **arguments),
        train_dataset=data,
        eval_dataset=Texts(6),
        callbacks=callbacks,
    )
    trainer.create_optimizer()
    seen.see_steps(trainer.optimizer)
    return trainer, seen


def weights(trainer: Any) -> Tensor:
    return torch.cat([each.detach().reshape(-1) for each in trainer.model.parameters()])


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., tuple[Any, Seen]]:
    """`train(...)`: train twice, with and without gdtui; the weights must have the same bits."""
    from gdtui.integrations.transformers import tracked

    def make(**options: Any) -> tuple[Any, Seen]:
        plain, _ = trainer_for(tmp_path / "plain", **options)
        plain.train()
        trainer, seen = trainer_for(tmp_path, **options)
        assert tracked(trainer, name="mine", run_dir=tmp_path / "run") is trainer
        trainer.train()
        close(trainer)
        assert torch.equal(weights(trainer), weights(plain))
        return trainer, seen

    return make


def close(trainer: Any) -> None:
    """End the record, as the end of the script does."""
    for each in trainer.callback_handler.callbacks:
        if hasattr(each, "record"):
            each.record.close()


def variant(tmp_path: Path) -> TrainedVariant:
    return open_run(tmp_path / "run").variants["mine"]


def logged(tmp_path: Path) -> Generation:
    found = variant(tmp_path)
    assert not found.incomplete
    return found.latest


@pytest.mark.parametrize("accumulation", [1, 2])
def test_every_loss_and_lr_is_recorded(
    train: Callable[..., tuple[Any, Seen]], tmp_path: Path, accumulation: int
) -> None:
    """Under accumulation, too, a loss is the mean over the tokens of its micro-batch."""
    trainer, seen = train(
        gradient_accumulation_steps=accumulation, warmup_steps=2, max_grad_norm=1e3
    )
    rows = logged(tmp_path).batches
    np.testing.assert_allclose(rows.loss, np.array(seen.losses, np.float32), rtol=1e-6)
    assert rows.batch_size.tolist() == [4, 4, 4, 4, 2] * 2
    assert rows.epoch.tolist() == [1] * 5 + [2] * 5
    per_epoch = -(-5 // accumulation)
    updates = [e * per_epoch + i // accumulation + 1 for e in range(2) for i in range(5)]
    assert rows.update.tolist() == updates
    assert trainer.state.global_step == 2 * per_epoch
    assert rows.lr.tolist() == [seen.lrs[each - 1] for each in updates]
    ends = [i for i, each in enumerate(updates) if each not in updates[i + 1 :]]
    np.testing.assert_allclose(logged(tmp_path).scalars["grad_norm"][ends], seen.norms, rtol=1e-6)
    assert variant(tmp_path).state is State.FINISHED
