"""Trainings that hold blocks to the readable step: problems and recipes, small and in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.problem import Problem
from engine.settings import LrSchedule, VariantSettings
from engine.training.execution.block import UpdateBlock
from engine.training.execution.calls import EndBlock
from engine.training.trainer import Trainer

BlockOf = Callable[[Trainer], UpdateBlock]
"""Makes the block of a trainer."""
EndOf = Callable[[Trainer], EndBlock | None]
"""Makes that of the short group that ends an epoch, if there is one."""
CPU = torch.device("cpu")
N, SIZE, EPOCHS = 10, 4, 3
"""Two whole batches and a short one."""
INPUTS = torch.randn(N, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGET = INPUTS.sum(1, keepdim=True).sin()
CLASSES = torch.randint(0, 4, (N, 5), generator=torch.Generator().manual_seed(1))
SOME_IGNORED = torch.where(CLASSES == 0, -100, CLASSES)


def regression(*layers: Callable[[], nn.Module]) -> Problem:
    """A regression with these layers before the last one."""
    return Problem(
        train=(INPUTS, TARGET),
        model=lambda: nn.Sequential(*(make() for make in layers), nn.Linear(3, 1)).double(),
        loss=functional.mse_loss,
    )


def tokens() -> Problem:
    """A classification of tokens, some of which count for nothing."""
    return Problem(
        train=(CLASSES, SOME_IGNORED),
        model=lambda: nn.Sequential(nn.Embedding(4, 6), nn.Linear(6, 4)).double(),
        loss=lambda output, target: functional.cross_entropy(
            output.flatten(0, 1), target.flatten()
        ),
        weight=lambda output, target: (target != -100).sum(),
    )


def trainer(problem: Problem, device: torch.device = CPU, **settings: Any) -> Trainer:
    """A trainer at its first weights."""
    chosen = VariantSettings(**{"batch_size": SIZE, "lr": 0.1, **settings})
    return Trainer(problem, chosen, 0, device, epochs=EPOCHS)


def trained(
    problem: Problem,
    block_of: BlockOf | None,
    device: torch.device,
    end_of: EndOf = lambda trainer: None,
    **settings: Any,
) -> tuple[Trainer, list[bytes]]:
    """A trainer after some epochs, and its losses; blocks take over after the first update."""
    mine = trainer(problem, device, **settings)
    losses = [mine.advance(mine.resolved.accumulation_steps).losses]
    if block_of is not None:
        mine.use(block_of(mine), end_of(mine))
    compiled = 0
    while mine.epoch < EPOCHS or not mine.at_epoch_end:
        chunk = mine.advance(N)
        compiled += chunk.compiled
        losses.append(chunk.losses)
    assert bool(compiled) is (block_of is not None)
    return mine, losses


def tensors(mine: Trainer) -> list[Tensor]:
    """Everything that training changes: weights, buffers and the optimiser's state."""
    state = mine.recipe.optimizer.state
    kept = [each for one in mine.objective.parameters for each in state[one].values()]
    return [*mine.model.state_dict().values(), *(each for each in kept if each is not None)]


RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "optimizer": "sgd(nesterov=True, weight_decay=0.1)"},
    "adamw": {"optimizer": "adamw(weight_decay=0.1)", "lr": 0.01},
    "amsgrad": {"optimizer": "adam(amsgrad=True, weight_decay=0.1)", "lr": 0.01},
    "rmsprop": {"optimizer": "rmsprop(centered=True)", "momentum": 0.9, "lr": 0.01},
    "accumulation": {"accumulation_steps": 2, "batch_size": 2},
    "clip": {"clip": 0.05, "momentum": 0.5},
    "cosine": {"schedule": LrSchedule.COSINE, "warmup": 0.3},
    "full": {"batch_size": N},
}


class Tied(nn.Module):
    """A weight used twice, a layer with two names, a number as weight, and a frozen layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.norm = self.again = nn.BatchNorm1d(3)
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.last = nn.Linear(3, 3).requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.last(self.scale * self.second(self.first(self.norm(inputs)).tanh()))
        return output


MODELS: dict[str, Problem] = {
    "tied": regression(Tied),
    "batch norm": regression(lambda: nn.Linear(3, 3), lambda: nn.BatchNorm1d(3)),
    "dropout": regression(lambda: nn.Dropout(0.5)),
    "tokens": tokens(),
}


def check(
    problem: Problem,
    block_of: BlockOf,
    device: torch.device = CPU,
    end_of: EndOf = lambda trainer: None,
    **settings: Any,
) -> None:
    """Hold blocks to the readable step: its losses, weights and state."""
    eager, expected = trained(problem, None, device, **settings)
    mine, losses = trained(problem, block_of, device, end_of, **settings)
    assert np.frombuffer(b"".join(losses), "<f4") == pytest.approx(
        np.frombuffer(b"".join(expected), "<f4"), rel=1e-6
    )
    assert mine.position.updates == eager.position.updates
    assert_equal(mine, eager)


def assert_equal(mine: Trainer, eager: Trainer) -> None:
    """Require that two trainers hold the same, but for rounding."""
    for one, other in zip(tensors(mine), tensors(eager), strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)
