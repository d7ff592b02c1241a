"""Least squares with two weights: a loss that is a quadratic, the same curvature everywhere.

The Hessian of ½ mean (w·x − y)² is the second moment of the inputs, which are made so that it is
exactly diagonal: CURVATURES. Full-batch steps grow once lr > 2 ÷ the largest of them.
"""

from typing import Final

import torch
from torch import Tensor, nn

from engine.problem import Problem

CURVATURES: Final = (15.0, 1.0)
"""2 ÷ 15 lies between 0.1 and 0.2, two rungs of the ladder of learning rates."""
NOISE: Final = 0.1


def make(seed: int, n: int = 256) -> Problem:
    """The regression on the data drawn with this seed."""
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(n, len(CURVATURES), generator=generator).double())
    inputs = (basis * n**0.5 * torch.tensor(CURVATURES).double().sqrt()).float()
    noise = NOISE * torch.randn(n, generator=generator)
    return Problem(
        train=(inputs, inputs @ torch.tensor([1.0, -1.0]) + noise),
        model=lambda: nn.Linear(len(CURVATURES), 1, bias=False),
        loss=_loss,
    )


def _loss(output: Tensor, target: Tensor) -> Tensor:
    """Half the mean squared error."""
    return (output.squeeze(-1) - target).square().mean() / 2
