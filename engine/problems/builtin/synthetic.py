"""The lesson's problem: 2,000 samples of 10 normal features; label = noisy linear score > 0."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.problem import Problem


def make(seed: int, n: int = 2000, features: int = 10, noise: float = 0.1) -> Problem:
    """Logistic regression on the data drawn with this seed."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, features, generator=generator)
    weights = torch.randn(features, generator=generator)
    score = inputs @ weights + noise * torch.randn(n, generator=generator)
    return Problem(
        train=(inputs, (score > 0).float()),
        model=lambda: nn.Linear(features, 1),
        loss=_loss,
    )


def _loss(output: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy; squeezes only the last dimension, so a one-sample batch keeps (1,)."""
    return functional.binary_cross_entropy_with_logits(output.squeeze(-1), target)
