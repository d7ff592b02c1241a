"""Peak memory of an update against what it must be."""

from functools import partial

import pytest
import torch
from torch import nn

from engine.measure.peak_memory import peak_bytes
from engine.problem import Problem
from engine.problems.opening import tensors_of
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def peak_of(problem: Problem, settings: VariantSettings) -> int:
    return peak_bytes(partial(Trainer, problem, settings, 0, CPU), tensors_of(problem), CPU)


def test_peak_memory_grows_with_the_batch_and_not_with_accumulation() -> None:
    wide = Problem(
        train=(torch.randn(256, 100), torch.randn(256, 1)),
        model=lambda: nn.Sequential(nn.Linear(100, 500), nn.Tanh(), nn.Linear(500, 1)),
        loss=nn.functional.mse_loss,
    )

    def peak(size: int, steps: int = 1) -> int:
        return peak_of(wide, VariantSettings(batch_size=size, accumulation_steps=steps))

    data, weights = 256 * 101 * 4, 51_001 * 4
    activations = 500 * 4  # a sample's, after the first layer
    assert peak(1) >= data + 2 * weights
    assert peak(128) - peak(1) > 127 * activations
    assert peak(16, 8) < peak(128) - 64 * activations


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc])
def test_sparse_tensors_count_with_what_they_hold(layout: torch.layout) -> None:
    """Gradients of a sparse embedding, and products of matrices in every sparse layout."""

    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(1000, 64, sparse=True)
            self.out = nn.Linear(64, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found = self.words(x)
            mixed = torch.eye(len(x)).to_sparse(layout=layout) @ found.detach()
            return self.out(found + 0 * mixed)

    words = Problem(
        train=(torch.arange(200), torch.zeros(200, 1)), model=Words, loss=nn.functional.mse_loss
    )
    small, large = (peak_of(words, VariantSettings(batch_size=size)) for size in (10, 200))
    values = 64 * 4  # of a sample's gradient with respect to its word
    assert small > 1000 * values
    assert large - small > 2 * 190 * values
