"""Optimisers that cannot step on one gradient an update are refused in one sentence."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine import Problem
from engine.settings import SettingsError, VariantSettings
from engine.training.trainer import Trainer

X = torch.ones(4, 2)
LATER = "computes the loss several times for one update, .* choose one that steps on a gradient"


class Closure(torch.optim.SGD):
    """A user's optimiser that asks for a closure."""

    def step(self, closure: Any) -> Any:  # type: ignore[override]
        return super().step(closure)


def trainer(optimizer: Any = None, name: str = "own") -> Trainer:
    problem = Problem(
        train=(X, X[:, :1]),
        model=lambda: nn.Linear(2, 1),
        loss=functional.mse_loss,
        optimizer=optimizer,
    )
    return Trainer(problem, VariantSettings(optimizer=name), 0, torch.device("cpu"))


@pytest.mark.parametrize("name", ["lbfgs", "LBFGS"])
def test_lbfgs_by_name(name: str) -> None:
    with pytest.raises(SettingsError, match=f"optimizer lbfgs {LATER}"):
        trainer(name=name)


@pytest.mark.parametrize("kind", [torch.optim.LBFGS, Closure])
def test_an_own_one_that_needs_a_closure(kind: Any) -> None:
    with pytest.raises(SettingsError, match=f"optimizer {kind.__name__} {LATER}"):
        trainer(lambda parameters, lr: kind(parameters, lr=lr))


def of_two(parameters: list[Tensor], lr: float) -> list[torch.optim.Optimizer]:
    return [torch.optim.SGD([each], lr=lr) for each in parameters]


@pytest.mark.parametrize("wrap", [list, tuple, lambda made: dict(enumerate(made))])
def test_several(wrap: Any) -> None:
    message = "returns 2 optimisers, but an update is one step of one: give it all parameters"
    with pytest.raises(SettingsError, match=message):
        trainer(lambda parameters, lr: wrap(of_two(parameters, lr)))


@pytest.mark.parametrize("made", [None, [1, 2], {"lr": 0.1}])
def test_what_is_none(made: Any) -> None:
    message = f"must return a torch.optim.Optimizer, not {type(made).__name__}"
    with pytest.raises(SettingsError, match=message):
        trainer(lambda parameters, lr: made)


def test_one_with_an_optional_closure_steps() -> None:
    made = trainer(lambda parameters, lr: torch.optim.SGD(parameters, lr=lr))
    made.advance(1)
    assert made.batches == 1
