"""Captured blocks held to the readable step; on the CPU, everything but the CUDA graph itself."""

from typing import Any

import pytest
import torch
from block_recipes import (
    CPU,
    INPUTS,
    MODELS,
    RECIPES,
    TARGET,
    N,
    assert_equal,
    check,
    regression,
    tensors,
    trainer,
)
from captured_blocks import TapeRecorder, captured
from devices import ON_DEVICES
from msgspec.structs import replace
from torch import Tensor, nn
from torch.nn import functional

from engine.problem import Problem
from engine.training.compiled.spec import UnsuitedError
from engine.training.compiled.suitability import spec_of

OTHERS: dict[str, dict[str, Any]] = {
    "nadam": {"optimizer": "nadam", "lr": 0.01},  # keeps more than step counts on the host
    "radam": {"optimizer": "radam", "lr": 0.01},
    "adagrad": {"optimizer": "adagrad(lr_decay=0.1)"},
}


@ON_DEVICES
@pytest.mark.parametrize("recipe", [*RECIPES, *OTHERS])
def test_recipes_give_the_weights_of_the_readable_step(recipe: str, device: torch.device) -> None:
    problem = regression(lambda: nn.Linear(3, 3), nn.Tanh)
    check(problem, captured, device, **(RECIPES | OTHERS)[recipe])


@ON_DEVICES
@pytest.mark.parametrize("model", MODELS)
def test_models_give_the_weights_of_the_readable_step(model: str, device: torch.device) -> None:
    check(MODELS[model], captured, device, momentum=0.9, lr=0.01)


@ON_DEVICES
def test_a_capture_changes_nothing(device: torch.device) -> None:
    """Neither weights, buffers and state nor the draws that come next."""
    mine = trainer(MODELS["dropout"], device, optimizer="adamw", lr=0.01)
    mine.advance(1)
    before = [each.clone() for each in tensors(mine)]
    draws = torch.get_rng_state()
    captured(mine)
    assert all(torch.equal(*pair) for pair in zip(tensors(mine), before, strict=True))
    assert torch.equal(torch.get_rng_state(), draws)
    assert all(each.grad is None for each in mine.objective.parameters)


@ON_DEVICES
def test_numbers_are_fed_and_a_norm_is_captured_again(device: torch.device) -> None:
    settings: dict[str, Any] = {"optimizer": "adam", "clip": 0.5, "batch_size": 5}
    eager, mine = (trainer(regression(), device, **settings) for _ in range(2))
    for each in (eager, mine):
        each.advance(N)
    recorder = TapeRecorder()
    mine.use(captured(mine, recorder))
    for changed in ({}, {"lr": 0.02}, {"clip": 0.01}):
        for each in (eager, mine):
            each.change(replace(each.settings, **changed))
            each.advance(N)
    assert mine.block is not None
    assert_equal(mine, eager)
    if device == CPU:
        assert recorder.recorded == 2


class Half(nn.Module):
    """A layer whose weights have less precision than the others."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))

    def _apply(self, fn: Any, recurse: bool = True) -> "Half":
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * self.scale.double()


def test_weights_of_half_the_precision_are_a_reason() -> None:
    """Their lr on the device would be rounded as they are."""
    mine = trainer(regression(Half))
    mine.advance(1)
    with pytest.raises(UnsuitedError, match="not all in float32"):
        captured(mine)


def test_a_capture_that_waits_for_the_device_fails() -> None:
    """So the stand-in for CUDA graphs refuses what they refuse."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(output, target) * float(target.sum() > 0)

    problem = Problem(train=(INPUTS, TARGET), model=regression().model, loss=loss)
    mine = trainer(problem)
    mine.advance(1)
    with pytest.raises(RuntimeError, match="capturing"):
        captured(mine)
    assert mine.advance(N).compiled == 0


def test_other_devices_have_a_reason() -> None:
    mine = trainer(regression())
    mine.device = torch.device("mps")
    with pytest.raises(UnsuitedError, match="not compiled on mps"):
        spec_of(mine)
