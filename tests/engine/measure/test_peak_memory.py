"""Peak memory of an update against what it must be."""

import pytest
import torch
from torch import nn

from engine.measure.peak_memory import peak_bytes
from engine.problem import Problem
from engine.settings import VariantSettings

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_peak_memory_grows_with_the_batch_and_not_with_accumulation() -> None:
    wide = Problem(
        train=(torch.randn(256, 100), torch.randn(256, 1)),
        model=lambda: nn.Sequential(nn.Linear(100, 500), nn.Tanh(), nn.Linear(500, 1)),
        loss=nn.functional.mse_loss,
    )

    def peak(size: int, steps: int = 1) -> int:
        return peak_bytes(wide, VariantSettings(batch_size=size, accumulation_steps=steps), 0, CPU)

    data, weights = 256 * 101 * 4, 51_001 * 4
    activations = 500 * 4  # a sample's, after the first layer
    assert peak(1) >= data + 2 * weights
    assert peak(128) - peak(1) > 127 * activations
    assert peak(16, 8) < peak(128) - 64 * activations
