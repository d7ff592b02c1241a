"""What measuring comes to, as it stands in a log. Imports neither torch nor numpy."""

import math
from typing import Final

import msgspec

TOLERANCE: Final = 1e-3
"""Of the sharpness: how far off it may be."""

_WIDEST: Final = 4.0
"""An interval whose ends are further apart than this factor says little."""


class NoiseScale(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate of the simple noise scale tr(Σ) ÷ |G|², in samples, with a 95% interval."""

    value: float
    """Infinite where |G|² cannot be told from zero."""
    low: float
    high: float
    """Infinite where |G|² may be zero."""
    trace: float
    """The estimate of tr(Σ)."""
    gradient_squared: float
    """The estimate of |G|²; may come out negative when few samples were seen."""
    samples: int
    """Seen for the estimate."""
    batches: int = 0
    """In which they were seen; 0 in logs of earlier versions."""
    covariance: tuple[float, float, float] | None = None
    """Of the two estimates: variance of `trace`, covariance, variance of `gradient_squared`; or None."""

    @property
    def is_reliable(self) -> bool:
        """The ends of the interval lie within a factor of four."""
        return self.high <= _WIDEST * self.low

    def signal_to_noise(self, batch: int, n: int) -> float:
        """Of an update from `batch` of n samples: |G|² ÷ the expected squared length of its error.

        The error of a mean over a batch drawn without replacement is tr(Σ) × (1/batch − 1/n) (Cochran,
        "Sampling Techniques", theorem 2.2): none at all for the full batch, hence infinity.
        """
        noise = self.trace * (1 / batch - 1 / n)
        return max(self.gradient_squared, 0.0) / noise if noise > 0 else math.inf


class Sharpness(msgspec.Struct, frozen=True, kw_only=True):
    """The largest eigenvalue (algebraically: the steepest upward curvature), in loss per squared weight."""

    value: float
    error: float
    """An eigenvalue lies this close to `value` (the norm of the Ritz pair's residual)."""
    products: int
    """Hessian-vector products that it took."""
    samples: int
    """Of the training set, that the loss was taken over."""

    @property
    def is_reliable(self) -> bool:
        """Known to a thousandth, or the loss is as good as flat."""
        return self.error <= max(TOLERANCE * abs(self.value), 1e-9)


def edge_of_stability(lr: float, momentum: float, optimizer: str) -> float | None:
    """The sharpness beyond which full-batch steps grow on a quadratic: 2 ÷ lr, or 2 (1 + momentum) ÷ lr.

    Cohen et al. 2021, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability",
    eq. 1. None for optimisers but SGD: they scale each weight's step by themselves.
    """
    return 2 * (1 + momentum) / lr if optimizer.lower() == "sgd" else None
