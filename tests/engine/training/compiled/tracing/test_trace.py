"""Blocks held to the readable step: the same losses, weights and state, whatever the recipe."""

from typing import Any

import pytest
import torch
from block_recipes import (
    CLASSES,
    INPUTS,
    MODELS,
    RECIPES,
    TARGET,
    N,
    assert_equal,
    check,
    regression,
    trainer,
)
from torch import Tensor, nn
from torch.nn import functional
from traced_blocks import block_of, end_block_of, traced

from engine.problem import Problem
from engine.settings import Precision
from engine.training.compiled.spec import UnsuitedError


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_give_the_weights_of_the_readable_step(recipe: str) -> None:
    problem = regression(lambda: nn.Linear(3, 3), nn.Tanh)
    check(problem, block_of, end_of=end_block_of, **RECIPES[recipe])


@pytest.mark.parametrize("model", MODELS)
def test_models_give_the_weights_of_the_readable_step(model: str) -> None:
    check(MODELS[model], block_of, end_of=end_block_of, optimizer="adamw", lr=0.01)


def test_fed_numbers_need_no_other_program() -> None:
    """lr, momentum and the norm to clip to may differ from those of the trace."""
    problem, others = regression(), {"lr": 0.02, "momentum": 0.3, "clip": 0.01}
    eager, mine = trainer(problem, **others), trainer(problem, **others)
    eager.advance(N)
    eager.advance(2)
    mine.advance(N)
    mine.use(block_of(mine))
    assert mine.advance(2).compiled == 2
    assert_equal(mine, eager)


class Jumping(nn.Module):
    """A model whose path depends on the values of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.layer(inputs)
        return output if inputs.sum() > 0 else -output


class Scaled(nn.Module):
    """A model that adds and subtracts multiples."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(3, 3)), nn.Parameter(torch.ones(3))

    def forward(self, inputs: Tensor) -> Tensor:
        sums = torch.add(inputs @ self.weight, self.bias, alpha=0.5)
        return torch.sub(sums, inputs, alpha=3)


def test_a_program_has_no_factors_that_the_compiler_may_forget() -> None:
    problem = regression(Scaled)
    check(problem, block_of, optimizer="sgd(weight_decay=0.1)")
    mine = trainer(problem, optimizer="sgd(weight_decay=0.1)")
    mine.advance(1)
    _, block = traced(mine)
    nodes = list(block.graph.graph.nodes)
    assert not [node for node in nodes if "alpha" in node.kwargs]
    factors = {node.args[1] for node in nodes if node.target is torch.ops.aten.mul.Tensor}
    assert {0.1, 0.5, 3} <= {each for each in factors if isinstance(each, int | float)}


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
