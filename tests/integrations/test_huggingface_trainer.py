"""A Trainer of transformers trains as without gdtui; every micro-batch is recorded."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from loop_client import LoopClient
from tiny_texts import WORDS, Texts, TextStream
from torch import Tensor, nn

from engine.log.commands import Pause, Resume
from engine.log.records import State, StateChanged
from engine.session.host.client import HostError
from gdtui.api.run import Generation, TrainedVariant, open_run

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytestmark = pytest.mark.integration

BATCH = 4
PLAIN: dict[str, Tensor] = {}
"""Weights after the untouched training, by its options."""


class Seen:
    """Losses and lrs that the hooks of this test saw."""

    def __init__(self, model: Any) -> None:
        self.losses: list[float] = []
        self.lrs: list[float] = []
        self.norms: list[float] = []
        """The norm of each update's gradient; after the Trainer has clipped it."""
        model.register_forward_hook(self._see_loss, with_kwargs=True)

    def _see_loss(self, model: Any, args: Any, kwargs: dict[str, Any], outputs: Any) -> None:
        if model.training and "labels" in kwargs:
            labels = kwargs["labels"][:, 1:].reshape(-1)
            logits = outputs.logits.detach()[:, :-1].reshape(-1, WORDS)
            self.losses.append(float(nn.functional.cross_entropy(logits, labels)))

    def see_steps(self, optimizer: Any) -> None:
        optimizer = getattr(optimizer, "optimizer", optimizer)
        parameters = [each for group in optimizer.param_groups for each in group["params"]]

        def see(*_: Any) -> None:
            self.lrs.append(optimizer.param_groups[0]["lr"])
            self.norms.append(float(nn.utils.get_total_norm([p.grad for p in parameters])))

        optimizer.register_step_post_hook(see)


def trainer_for(folder: Path, **options: Any) -> tuple[Any, Seen]:
    """A Trainer of a tiny language model; the same each time."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=WORDS, n_positions=16, n_embd=8, n_layer=1, n_head=2
    )
    model = options.pop("model_kind", transformers.GPT2LMHeadModel)(config)
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


Train = Callable[..., tuple[Any, Seen]]


def weights(trainer: Any) -> Tensor:
    return torch.cat([each.detach().reshape(-1) for each in trainer.model.parameters()])


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., tuple[Any, Seen]]:
    """`train(...)`: train twice, with and without gdtui; the weights must have the same bits."""
    from gdtui.integrations.transformers import tracked

    def make(resume: str | None = None, **options: Any) -> tuple[Any, Seen]:
        key = repr(options)
        if resume or key not in PLAIN:
            plain, _ = trainer_for(tmp_path / "plain", **options)
            plain.train(resume_from_checkpoint=resume)
            PLAIN[key] = weights(plain)
        trainer, seen = trainer_for(tmp_path, **options)
        assert tracked(trainer, name="mine", run_dir=tmp_path / "run") is trainer
        trainer.train(resume_from_checkpoint=resume)
        close(trainer)
        assert torch.equal(weights(trainer), PLAIN[key])
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
def test_every_loss_and_lr_is_recorded(train: Train, tmp_path: Path, accumulation: int) -> None:
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


class EarlyStop(transformers.TrainerCallback):  # type: ignore[misc]
    """Ends the training as EarlyStoppingCallback does, after the second measurement."""

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_training_stop = state.epoch >= 2


def test_measurements_and_an_early_stop(train: Train, tmp_path: Path) -> None:
    trainer, _ = train(callbacks=[EarlyStop()], num_train_epochs=9, eval_strategy="epoch")
    found = variant(tmp_path)
    history = [each["eval_loss"] for each in trainer.state.log_history if "eval_loss" in each]
    assert [each.validation_loss for each in found.latest.evaluations] == history
    assert [each.batches for each in found.latest.evaluations] == [5, 10]
    assert found.detail == "the Trainer ended before its last step"


def test_a_stream_of_texts_with_max_steps(train: Train, tmp_path: Path) -> None:
    """Its length is unknown, so the log says that the epoch is made up."""
    _, seen = train(train_dataset=TextStream(18), max_steps=7, eval_strategy="steps", eval_steps=3)
    found = logged(tmp_path)
    np.testing.assert_allclose(found.losses, np.array(seen.losses, np.float32), rtol=1e-6)
    assert found.batches.batch_size.tolist() == [4, 4, 4, 4, 2, 4, 4]
    assert found.batches.epoch.tolist() == [1] * 5 + [2] * 2
    assert [each.updates for each in found.validations] == [3, 6, 7]
    assert found.started is not None
    assert found.started.assumed == ("epoch",)


def test_a_training_that_goes_on_from_a_checkpoint(train: Train, tmp_path: Path) -> None:
    first, _ = trainer_for(tmp_path / "first", save_strategy="steps", save_steps=7)
    first.train()
    _, seen = train(resume=str(tmp_path / "first/out/checkpoint-7"))
    rows = logged(tmp_path).batches
    np.testing.assert_allclose(rows.loss, np.array(seen.losses, np.float32), rtol=1e-6)
    assert rows.epoch.tolist() == [2] * 3
    assert rows.lr.tolist() == seen.lrs


class OwnLoss(transformers.Trainer):  # type: ignore[misc]
    """Computes a mean over the batch, for whose division by the accumulation it asks nobody."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        outputs = model(**inputs)
        return (outputs.loss, outputs) if return_outputs else outputs.loss


def test_a_subclass_that_averages_over_the_batch(train: Train, tmp_path: Path) -> None:
    _, seen = train(gradient_accumulation_steps=2, kind=OwnLoss)
    losses = logged(tmp_path).losses
    np.testing.assert_allclose(losses, np.array(seen.losses, np.float32), rtol=1e-6)


class OwnMean(transformers.GPT2LMHeadModel):  # type: ignore[misc]
    """Takes the number of terms of the group, and averages over the batch, as classifiers do."""

    def forward(
        self, input_ids: Any, labels: Any = None, num_items_in_batch: Any = None, **_: Any
    ) -> Any:
        return super().forward(input_ids, labels=labels)


def test_a_model_that_averages_over_the_batch(train: Train, tmp_path: Path) -> None:
    _, seen = train(gradient_accumulation_steps=2, model_kind=OwnMean)
    losses = logged(tmp_path).losses
    np.testing.assert_allclose(losses, np.array(seen.losses, np.float32), rtol=1e-6)


# --- Keys and faults ------------------------------------------------------------------------------


class Keys(transformers.TrainerCallback):  # type: ignore[misc]
    """Acts as a viewer before a micro-batch."""

    def __init__(self, path: Path, actions: dict[int, Callable[[LoopClient], object]]) -> None:
        self._path, self._actions = path, actions

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        action = self._actions.get(state.global_step + 1)
        if action is not None:
            client = LoopClient(self._path)
            action(client)
            client.close()


def go_on_once_paused(path: Path) -> None:
    while open_run(path).variants["mine"].state is not State.PAUSED:
        time.sleep(0.02)
    client = LoopClient(path)
    client.order(Resume(id=0))
    client.close()


def test_keys_change_the_lr_pause_and_end(tmp_path: Path) -> None:
    from gdtui.integrations.transformers import tracked

    path = tmp_path / "run"
    other = threading.Thread(target=go_on_once_paused, args=(path,))

    def refused(client: LoopClient) -> None:
        for setting in ("batch_size", "accumulation_steps"):
            with pytest.raises(HostError, match="stays: the Trainer derives its steps"):
                client.change(**{setting: 8})

    def pause(client: LoopClient) -> None:
        client.order(Pause(id=0))
        other.start()

    actions = {
        1: refused,
        2: lambda client: client.change(lr=0.02),
        3: pause,
        6: lambda client: client.end(),
    }
    trainer, seen = trainer_for(tmp_path, lr_scheduler_type="linear")
    trainer.add_callback(Keys(path, actions))
    tracked(trainer, name="mine", run_dir=path)
    trainer.train()
    other.join()
    close(trainer)
    found = variant(tmp_path)
    schedule = [0.01 * (1 - i / 10) for i in range(6)]
    expected = [lr * (1 if i < 2 else 2) for i, lr in enumerate(schedule)]
    assert found.latest.batches.lr.tolist() == pytest.approx(expected)
    assert seen.lrs == pytest.approx(expected)
    states = [each.state for each in found.latest.records if isinstance(each, StateChanged)]
    assert [each.name for each in states] == ["RUNNING", "PAUSED", "RUNNING", "STOPPED"]
    assert trainer.state.global_step == 6


@pytest.mark.parametrize("broken", ["record.chunking.ChunkBuilder.add", "trainers.record.begin"])
def test_a_fault_leaves_the_training_alone(
    train: Train, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], broken: str
) -> None:
    """One warning; `train` compares the weights."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(f"engine.tracking.{broken}", fail)
    train()
    warnings = [each for each in capfd.readouterr().err.splitlines() if each.startswith("gdtui:")]
    assert len(warnings) == 1


def test_switched_off_it_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gdtui.integrations.transformers import tracked

    monkeypatch.setenv("GDTUI", "off")
    trainer, _ = trainer_for(tmp_path)
    before = {**vars(trainer)}
    assert vars(tracked(trainer)) == before
