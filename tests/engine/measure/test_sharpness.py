"""The sharpness against the exact Hessian, which small models allow."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.log.measurements import Sharpness
from engine.measure.model_copy import Probe
from engine.measure.sharpness import sharpness
from engine.measure.steps import Steps, finish
from engine.problem import Problem
from engine.problems import registry
from engine.settings import VariantSettings
from engine.training.trainer import Trainer


def digits_like(seed: int) -> Problem:
    """Five classes of small images for a net with a hidden layer, in float32 as training has it."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(150, 12, generator=generator)
    return Problem(
        train=(inputs, torch.randint(0, 5, (150,), generator=generator)),
        model=lambda: nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 5)),
        loss=functional.cross_entropy,
    )


def exact(problem: Problem, model: nn.Module) -> float:
    names = [name for name, _ in model.named_parameters()]

    def loss(*weights: Tensor) -> Tensor:
        *inputs, target = problem.train
        named = dict(zip(names, weights, strict=True))
        return problem.loss(torch.func.functional_call(model, named, tuple(inputs)), target)

    weights = tuple(parameter.detach() for parameter in model.parameters())
    blocks = torch.autograd.functional.hessian(loss, weights)
    rows = [
        torch.cat([b.reshape(w.numel(), -1) for b in row], 1)
        for row, w in zip(blocks, weights, strict=True)
    ]
    return float(torch.linalg.eigvalsh(torch.cat(rows).double())[-1])


def measured(trainer: Trainer) -> Sharpness:
    probe = Probe.of(trainer, np.arange(trainer.n))
    start = torch.randn(probe.size, generator=torch.Generator().manual_seed(0))
    return finish(sharpness(probe.hessian_product, start))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["synthetic", "hidden layer"])
def test_it_is_the_hessians_top_eigenvalue(name: str, seed: int) -> None:
    """The data come in several pieces, the last one short."""
    problem = registry.load("synthetic", seed) if name == "synthetic" else digits_like(seed)
    trainer = Trainer(problem, VariantSettings(), seed, torch.device("cpu"), micro_batch=64)
    trainer.advance(2)
    found = measured(trainer)
    assert found.is_reliable
    assert found.value == pytest.approx(exact(problem, trainer.model), rel=1e-3)


def of_matrix(matrix: Tensor) -> Sharpness:
    def product(vector: Tensor) -> Steps[Tensor]:
        yield
        return matrix @ vector

    start = torch.randn(
        len(matrix), generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    return finish(sharpness(product, start))


def test_the_top_is_the_largest_not_the_one_of_largest_size() -> None:
    found = of_matrix(torch.diag(torch.tensor([-50.0, 1.0, 2.0, 3.0], dtype=torch.float64)))
    assert found.value == pytest.approx(3, rel=1e-3)


def test_a_hundred_eigenvalues_close_to_each_other() -> None:
    values = torch.linspace(0, 1, 100, dtype=torch.float64)
    found = of_matrix(torch.diag(values))
    assert found.value == pytest.approx(1, rel=1e-3)
    assert found.products < 60


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_flat_loss_has_none(size: int) -> None:
    found = of_matrix(torch.zeros(size, size, dtype=torch.float64))
    assert (found.value, found.is_reliable) == (0, True)


def test_what_is_not_finite_ends_it() -> None:
    found = of_matrix(torch.full((3, 3), torch.nan, dtype=torch.float64))
    assert not found.is_reliable
