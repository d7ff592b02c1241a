"""The devices that a step is tested on: the CPU always, CUDA where there is a card."""

import pytest
import torch

NEEDS_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
ON_DEVICES = pytest.mark.parametrize(
    "device", [torch.device("cpu"), pytest.param(torch.device("cuda"), marks=NEEDS_CUDA)], ids=str
)
"""Runs a test on each of them, in its argument `device`."""
