"""The sharpness: the largest eigenvalue of the Hessian, at fixed weights.

If lr × sharpness exceeds 2, plain gradient descent on the quadratic model of the loss diverges
along that direction; full-batch training drifts to that value and stays there (Cohen et al. 2021,
"Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability").
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from torch import Tensor

from engine.log.measurements import Sharpness
from engine.measure.curvature import Lanczos
from engine.measure.steps import Steps

_FEWEST: Final = 5
_MOST: Final = 80
"""Fewest products: a start that happens to lack the top direction shows up in the first few."""


def sharpness(
    product: Callable[[Tensor], Steps[Tensor]], start: Tensor, samples: int = 0
) -> Steps[Sharpness]:
    """Multiply until the largest eigenvalue is known accurately enough.

    `product(v)` is the Hessian times v; `start` is a random vector, which is not changed; `samples`
    is the number of samples in the loss.
    """
    size = len(start)
    lanczos = Lanczos(start[None], reorthogonalise=False)
    del start  # it has the size of the weights, and Lanczos has a copy
    while True:
        image = yield from product(lanczos.vector[0])
        lanczos.extend(image[None])
        ((value,), (error,)) = lanczos.top()
        found = Sharpness(
            value=float(value), error=float(error), products=lanczos.products, samples=samples
        )
        enough = lanczos.products >= min(_FEWEST, size) and found.is_reliable
        length = lanczos.residual[0]
        if enough or lanczos.products == _MOST or length == 0 or not np.isfinite(length):
            return found
