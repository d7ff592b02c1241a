"""Optimisers without torch's wrappers: the same steps, no import of torch.compile's machinery."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional

from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.model import Objective
from engine.training.recipe.optimizer import make_optimizer

X, Y = torch.randn(32, 4, dtype=torch.float64), torch.randn(32, 3, dtype=torch.float64)
STEPS = 4


def usable() -> list[str]:
    """Every optimiser of this torch that steps without a closure and takes dense gradients."""
    kinds = (name for name, kind in vars(torch.optim).items() if isinstance(kind, type))
    return sorted(set(kinds) - {"Optimizer", "LBFGS", "SparseAdam"})


def layer() -> nn.Linear:
    torch.manual_seed(3)
    return nn.Linear(4, 3, bias=False).double()


def stepped(model: nn.Module, optimizer: torch.optim.Optimizer) -> torch.Tensor:
    for _ in range(STEPS):
        optimizer.zero_grad()
        functional.mse_loss(model(X), Y).backward()
        optimizer.step()
    return next(model.parameters()).detach()


@pytest.mark.parametrize(
    ("name", "momentum"), [*((name, 0.0) for name in usable()), ("SGD", 0.9), ("RMSprop", 0.9)]
)
def test_each_steps_exactly_as_torchs_own(name: str, momentum: float) -> None:
    plain = layer()
    problem = Problem(train=(X, Y), model=layer, loss=functional.mse_loss)
    ours = Objective(problem, torch.device("cpu"))
    settings = VariantSettings(batch_size=8, optimizer=name, momentum=momentum)
    options = {"momentum": momentum} if momentum else {}
    weights = stepped(ours.model, make_optimizer(ours, settings, 0.01))
    expected = stepped(plain, getattr(torch.optim, name)(plain.parameters(), lr=0.01, **options))
    assert not torch.equal(weights, layer().weight)
    assert torch.equal(weights, expected)


ALL = """
import sys
import torch
from engine.worker.measuring.measurer import Measurer
from engine.log.records import State
from engine.problems.opening import open_problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

for optimizer in ("sgd", "adamw"):
    settings = VariantSettings(batch_size=64, optimizer=optimizer)
    trainer = Trainer(open_problem("synthetic", 0, None, None), settings, 0, torch.device("cpu"))
    written = []
    measurer = Measurer(written.append, is_on=True)
    trainer.advance(10)
    measurer.ask()
    while measurer.wait(trainer.updates, State.RUNNING) == 0.0:
        measurer.work(trainer)
    trainer.full_loss()
    assert {True, False} == {record.noise is None for record in written}, written
print("torch._dynamo" in sys.modules)
"""


def test_training_and_measuring_import_no_compiler() -> None:
    result = subprocess.run(
        [sys.executable, "-c", ALL], capture_output=True, text=True, timeout=300
    )
    assert result.stdout.split() == ["False"], result.stderr
