"""The sharpness: the largest eigenvalue of the Hessian, by Lanczos, from Hessian-vector products alone.

Where lr × sharpness passes 2, plain gradient descent on the quadratic model of the loss diverges
along that direction; full-batch training drifts up to there and stays (Cohen et al. 2021, "Gradient
Descent on Neural Networks Typically Occurs at the Edge of Stability").
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from engine.log.measurements import Sharpness
from engine.measure.steps import Steps

_FEWEST, _MOST = 5, 80
"""Products: a start that happens to lack the top direction shows in the first few; then enough is enough."""


def sharpness(
    product: Callable[[Tensor], Steps[Tensor]], start: Tensor, samples: int = 0
) -> Steps[Sharpness]:
    """Lanczos's algorithm from the vector `start`, which should be random and is not changed.

    `product(v)` is the Hessian times v; `samples`, those that the loss is taken over. Three vectors are
    kept, not all: the largest Ritz value is as good without reorthogonalisation (Paige 1980), only copies
    of it appear.
    """
    vector = start / start.norm()
    before = torch.zeros_like(vector)
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        image = yield from product(vector)
        diagonal.append(float(image @ vector))
        image = image - diagonal[-1] * vector
        if beside:
            image -= beside[-1] * before
        length = float(image.norm())
        value, last = _top_of_tridiagonal(diagonal, beside)
        found = Sharpness(value=value, error=length * last, products=len(diagonal), samples=samples)
        enough = len(diagonal) >= min(_FEWEST, len(start)) and found.is_reliable
        if enough or len(diagonal) == _MOST or length == 0 or not np.isfinite(length):
            return found
        beside.append(length)
        before, vector = vector, image / length


def _top_of_tridiagonal(diagonal: list[float], beside: list[float]) -> tuple[float, float]:
    """The largest eigenvalue of that matrix, and how much its vector has of the last coordinate."""
    if not np.isfinite(diagonal).all():
        return float("nan"), float("nan")
    values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return float(values[-1]), abs(float(vectors[-1, -1]))
