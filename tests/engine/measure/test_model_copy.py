"""Loss, gradients and curvature on a copy of a model, whatever pieces they are computed in."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from weighted_losses import PROBLEMS, N, batch_of, loss_of

from engine.measure.model_copy import Probe
from engine.measure.steps import finish
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

NAMES = ["ignored targets", "class weights", "label smoothing", "a weight of one's own", "sum"]


def flat(tensors: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def opened(name: str, samples: int = N) -> tuple[Problem, Probe, nn.Module]:
    """A probe that takes pieces of 7 samples, and the model it copied."""
    problem = PROBLEMS[name]()
    trainer = Trainer(problem, VariantSettings(), 0, torch.device("cpu"), micro_batch=7)
    return problem, Probe.of(trainer, np.arange(samples)), trainer.model.eval()


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_whole_batches(name: str) -> None:
    problem, probe, model = opened(name)
    found = probe.vector_of(probe.zeros())
    for number in range(3):
        finish(probe.gradient(number, 20, found))
        batch = batch_of(problem, range(number * 20, number * 20 + 20))
        expected = flat(torch.autograd.grad(loss_of(problem, model, batch), model.parameters()))
        by = 20 if name == "sum" else 1  # of a sum, by samples: all that is measured is a mean
        assert torch.allclose(found.vector, expected / by, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_loss_and_curvature_are_those_of_all_samples_at_once(name: str) -> None:
    problem, probe, model = opened(name)
    loss = loss_of(problem, model, batch_of(problem, range(N)))
    assert probe.full_loss() == pytest.approx(loss.item(), rel=1e-12)
    vector = torch.randn(probe.size, generator=torch.Generator().manual_seed(0)).double()
    slope = flat(torch.autograd.grad(loss, model.parameters(), create_graph=True))
    expected = flat(torch.autograd.grad(slope @ vector, model.parameters()))
    product = finish(probe.hessian_product(vector))
    assert torch.allclose(product, expected, rtol=1e-10, atol=1e-10)


def test_the_loss_of_a_part_of_the_data_stands_for_that_of_all() -> None:
    """Of a sum, too: what is measured on a part is compared with the loss on all data."""
    problem, probe, model = opened("sum", samples=50)
    part = loss_of(problem, model, batch_of(problem, range(50))).item()
    assert probe.full_loss() == pytest.approx(part * N / 50, rel=1e-12)
