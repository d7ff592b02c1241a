"""A training continued from a checkpoint, against one that was never interrupted: bit for bit."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor, nn
from torch.utils.data import Dataset

from engine.checkpoint.checkpoint import capture, restore
from engine.checkpoint.file import read_checkpoint, write_checkpoint
from engine.problem import Problem
from engine.settings import FULL, LrScaling, LrSchedule, Precision, VariantSettings
from engine.training.state.modules import StateMismatchError
from engine.training.trainer import Trainer

CPU = torch.device("cpu")
SEED = 5
N = 62
EPOCHS = 3


class Averaged(nn.Module):
    """Dropout, batch norm, tied weights, an average of its weights, and what it counts."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Dropout(0.3))
        self.again = self.body[0]
        self.tied = nn.Linear(6, 6)
        self.tied.weight = self.body[0].weight
        self.head = nn.Linear(6, 1)
        self.register_buffer("average", torch.zeros(1, 6), persistent=False)
        self.own = torch.Generator().manual_seed(1)
        self.passes = 0
        self.seen: list[float] = []
        self.last: Tensor | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.tied(torch.tanh(self.again(self.body(inputs))))
        if self.training:
            self.passes += 1
            self.seen = [*self.seen[-3:], random.random()]
            with torch.no_grad():
                self.average.mul_(0.9).add_(self.head.weight, alpha=0.1)
            noise = torch.rand(1, generator=self.own) + float(np.random.rand()) * self.seen[-1]
            hidden = hidden * (1 + 0.01 * noise / self.passes) + 0.01 * self.average
            self.last = hidden.detach().mean(0) + (0 if self.last is None else self.last)
            hidden = hidden + 1e-3 * self.last
        return self.head(hidden)


class Noisy(Dataset[Any]):
    """Samples with a random transform."""

    def __len__(self) -> int:
        return N

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        sample = torch.full((6,), index / N) + torch.rand(6) + random.random()
        return sample + float(np.random.rand()), torch.tensor(float(index % 3))


def squared(output: Tensor, target: Tensor) -> Tensor:
    return ((output.squeeze(-1) - target) ** 2).mean()


def tensors() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(SEED)
    return torch.randn(N, 6, generator=generator), torch.randn(N, generator=generator)


def problem(**changes: Any) -> Problem:
    return Problem(**{"train": tensors(), "model": Averaged, "loss": squared, **changes})


def grouped(model: nn.Module, lr: float) -> torch.optim.Optimizer:
    biases = [each for each in model.parameters() if each.ndim == 1]
    rest = [each for each in model.parameters() if each.ndim > 1]
    groups = [{"params": rest}, {"params": biases, "lr": 3 * lr}]
    return torch.optim.SGD(groups, lr=lr, momentum=0.8, nesterov=True)


OWN: dict[str, Callable[..., Any]] = {
    "lambda": lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda k: 0.97**k),
    "multistep": lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [3, 9, 20]),
    "onecycle": lambda o, updates: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, updates),
    "sequence": lambda o: torch.optim.lr_scheduler.SequentialLR(
        o,
        [
            torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=4),
            torch.optim.lr_scheduler.ExponentialLR(o, 0.95),
        ],
        [4],
    ),
}
FP16 = {"precision": Precision.FP16}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "momentum": ({"momentum": 0.9}, {}),
    "adamw": ({"optimizer": "adamw(weight_decay=0.1)"}, {}),
    "adam-amsgrad": ({"optimizer": "adam(amsgrad=True)", "clip": 0.5}, {}),
    "averaging": ({"optimizer": "asgd"}, {}),
    "rprop": ({"optimizer": "rprop"}, {}),
    "accumulation": ({"batch_size": 3, "accumulation_steps": 4}, {}),
    "full": ({"batch_size": FULL}, {}),
    "full in pieces": ({"batch_size": FULL, "accumulation_steps": 3}, {}),
    "two": ({"batch_size": 2, "momentum": 0.5}, {}),
    "dropped": ({"batch_size": 7, "drop_last": True}, {}),
    "cosine": ({"schedule": LrSchedule.COSINE, "warmup": 0.2, "optimizer": "adamw"}, {}),
    "growing": ({"batch_warmup": 0.6, "lr_scaling": LrScaling.LINEAR, "batch_size": 16}, {}),
    "fp16": (FP16 | {"clip": 1.0, "optimizer": "adamw"}, {}),
    "bf16": ({"precision": Precision.BF16}, {}),
    "own": ({"optimizer": "own", "schedule": LrSchedule.WSD}, {"optimizer": grouped}),
    **{
        f"schedule {name}": (
            {"schedule": LrSchedule.OWN, "optimizer": "own"},
            {"optimizer": grouped, "scheduler": make},
        )
        for name, make in OWN.items()
    },
}


def made(problem: Problem, settings: VariantSettings, **options: Any) -> Trainer:
    options = {"epochs": EPOCHS, **options}
    return Trainer(problem, settings, SEED, CPU, **options)


def go_on(trainer: Trainer, batches: int | None = None) -> bytes:
    """Train up to so many batches, or to the end, in slices of five; the losses."""
    losses = b""
    while trainer.epoch < EPOCHS or not trainer.at_epoch_end:
        left = 5 if batches is None else min(5, batches - trainer.batches)
        if left <= 0:
            break
        losses += trainer.advance(left).losses
    return losses


def weights(trainer: Trainer) -> bytes:
    return trainer.weights().tobytes()


def spoil_generators() -> None:
    torch.manual_seed(99)
    np.random.seed(99)
    random.seed(99)


def boundary(trainer: Trainer, batches: int) -> None:
    """Train at least so many batches, up to the end of a group."""
    go_on(trainer, batches)
    while trainer.in_group:
        trainer.advance(1)


def check(made: Callable[[], Trainer], places: tuple[int, ...], path: Path) -> None:
    spoil_generators()
    undisturbed = made()
    random.seed(1)
    np.random.seed(1)
    expected, end = go_on(undisturbed), weights(undisturbed)
    for place in places:
        first = made()
        random.seed(1)
        np.random.seed(1)
        boundary(first, place)
        write_checkpoint(path, capture(first))
        go_on(first)  # what training does afterwards is not in the checkpoint
        spoil_generators()
        checkpoint = read_checkpoint(path)
        second = made()
        restore(second, checkpoint)
        assert second.batches == checkpoint.batches
        assert go_on(second) == expected[4 * checkpoint.batches :]
        assert weights(second) == end


@pytest.mark.parametrize("name", CASES)
def test_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    settings, parts = CASES[name]
    chosen = VariantSettings(**{"batch_size": 8, "lr": 0.02, **settings})
    check(lambda: made(problem(**parts), chosen), (0, 5, 16), tmp_path / "a.ckpt")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_dataset_with_random_transforms(workers: int, tmp_path: Path) -> None:
    settings = VariantSettings(batch_size=4, accumulation_steps=2, momentum=0.9)
    noisy = problem(train=Noisy())
    check(lambda: made(noisy, settings, loader_workers=workers), (21,), tmp_path / "a.ckpt")


def test_after_a_change_of_settings_in_mid_epoch(tmp_path: Path) -> None:
    """The rest of a shuffled epoch, as one full batch, keeps to the epoch's order."""
    settings = VariantSettings(batch_size=8, lr=0.02)

    def changed() -> Trainer:
        trainer = made(problem(), settings)
        random.seed(1)
        np.random.seed(1)
        go_on(trainer, 3)
        trainer.change(replace(settings, batch_size=FULL, momentum=0.9))
        return trainer

    first = changed()
    write_checkpoint(tmp_path / "a", capture(first))
    expected = go_on(first)
    kept = read_checkpoint(tmp_path / "a")
    second = made(problem(), kept.header.settings)
    restore(second, kept)
    assert go_on(second) == expected
    assert weights(second) == weights(first)


def test_another_model_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a", capture(made(problem(), VariantSettings(batch_size=8))))
    kept = read_checkpoint(tmp_path / "a")
    for other in (nn.Linear(6, 1), nn.Sequential(nn.Linear(6, 2), nn.Linear(2, 1))):
        trainer = made(problem(model=lambda model=other: model), VariantSettings(batch_size=8))
        with pytest.raises(StateMismatchError):
            restore(trainer, kept)
    adam = made(problem(), VariantSettings(batch_size=8, optimizer="adam"))
    adam.advance(1)
    write_checkpoint(tmp_path / "a", capture(adam))
    fewer = made(problem(train=tuple(each[:50] for each in tensors())), adam.settings)
    with pytest.raises(StateMismatchError, match="62 samples, not 50"):
        restore(fewer, read_checkpoint(tmp_path / "a"))
