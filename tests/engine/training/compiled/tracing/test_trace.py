"""Blocks held to the readable step: the same losses, weights and state, whatever the recipe."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from traced_blocks import block_of, traced

from engine.problem import Problem
from engine.settings import LrSchedule, Precision, VariantSettings
from engine.training.compiled.spec import UnsuitedError
from engine.training.trainer import Trainer

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


def trainer(problem: Problem, **settings: Any) -> Trainer:
    chosen = VariantSettings(**{"batch_size": SIZE, "lr": 0.1, **settings})
    return Trainer(problem, chosen, 0, torch.device("cpu"), epochs=EPOCHS)


def trained(problem: Problem, *, in_blocks: bool, **settings: Any) -> tuple[Trainer, list[bytes]]:
    """A trainer after some epochs, and its losses; blocks take over after the first update."""
    mine = trainer(problem, **settings)
    losses = [mine.advance(mine.resolved.accumulation_steps).losses]
    if in_blocks:
        mine.use(block_of(mine))
    compiled = 0
    while mine.epoch < EPOCHS or not mine.at_epoch_end:
        chunk = mine.advance(N)
        compiled += chunk.compiled
        losses.append(chunk.losses)
    assert bool(compiled) is in_blocks
    return mine, losses


def tensors(mine: Trainer) -> list[Tensor]:
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


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_give_the_weights_of_the_readable_step(recipe: str) -> None:
    problem = regression(lambda: nn.Linear(3, 3), nn.Tanh)
    check(problem, **RECIPES[recipe])


class Tied(nn.Module):
    """A weight that is used twice, a weight that is a number, and a frozen layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.last = nn.Linear(3, 3).requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.last(self.scale * self.second(self.first(inputs).tanh()))
        return output


MODELS: dict[str, Problem] = {
    "tied": regression(Tied),
    "batch norm": regression(lambda: nn.Linear(3, 3), lambda: nn.BatchNorm1d(3)),
    "dropout": regression(lambda: nn.Dropout(0.5)),
    "tokens": tokens(),
}


@pytest.mark.parametrize("model", MODELS)
def test_models_give_the_weights_of_the_readable_step(model: str) -> None:
    check(MODELS[model], optimizer="adamw", lr=0.01)


def check(problem: Problem, **settings: Any) -> None:
    eager, expected = trained(problem, in_blocks=False, **settings)
    mine, losses = trained(problem, in_blocks=True, **settings)
    assert np.frombuffer(b"".join(losses), "<f4") == pytest.approx(
        np.frombuffer(b"".join(expected), "<f4"), rel=1e-6
    )
    assert mine.position.updates == eager.position.updates
    for one, other in zip(tensors(mine), tensors(eager), strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)


def test_fed_numbers_need_no_other_program() -> None:
    """lr, momentum and the norm to clip to may differ from those of the trace."""
    problem, others = regression(), {"lr": 0.02, "momentum": 0.3, "clip": 0.01}
    eager, mine = trainer(problem, **others), trainer(problem, **others)
    eager.advance(N)
    eager.advance(2)
    mine.advance(N)
    mine.use(block_of(mine))
    assert mine.advance(2).compiled == 2
    for one, other in zip(tensors(mine), tensors(eager), strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)


class Jumping(nn.Module):
    """A model whose path depends on the values of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.layer(inputs)
        return output if inputs.sum() > 0 else -output


def test_a_path_that_depends_on_values_is_a_reason() -> None:
    problem = Problem(
        train=(INPUTS.float(), TARGET.float()), model=Jumping, loss=functional.mse_loss
    )
    mine = trainer(problem)
    mine.advance(1)
    with pytest.raises(UnsuitedError, match="depends on the values"):
        traced(mine)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"precision": Precision.FP16}, "fp16"),
        ({"accumulation_steps": 8}, "no whole update"),
    ],
)
def test_settings_that_no_block_suits_have_a_reason(settings: dict[str, Any], reason: str) -> None:
    mine = trainer(regression(), **settings)
    with pytest.raises(UnsuitedError, match=reason):
        traced(mine)


def test_sparse_gradients_are_a_reason() -> None:
    problem = Problem(
        train=(CLASSES, CLASSES[:, :1].double()),
        model=lambda: nn.Sequential(nn.EmbeddingBag(4, 1, sparse=True, mode="sum")).double(),
        loss=functional.mse_loss,
    )
    with pytest.raises(UnsuitedError, match="sparse"):
        traced(trainer(problem))
