"""Measurements as they stand in a log, and the noise scale smoothed over them.

No torch, no numpy.
"""

import math
from typing import Final

import msgspec

from engine.settings.ranges import Count
from engine.statistics.intervals import Covariance, quotient_interval, t_quantile

TOLERANCE: Final = 1e-3
"""Relative tolerance of the sharpness."""

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
    samples: Count
    """Samples seen for the estimate."""
    batches: Count = 0
    """Batches in which they were seen; 0 in logs of earlier versions."""
    covariance: Covariance | None = None
    """The two estimates' variance of `trace`, covariance, variance of `gradient_squared`."""

    @property
    def is_reliable(self) -> bool:
        """True when the ends of the interval lie within a factor of four."""
        return self.high <= _WIDEST * self.low

    def signal_to_noise(self, batch: int, n: int) -> float:
        """Signal-to-noise of an update: |G|² ÷ the expected squared error of its gradient.

        The error of a mean over a batch drawn without replacement is tr(Σ) × (1/batch − 1/n)
        (Cochran, "Sampling Techniques", theorem 2.2): none at all for the full batch, hence
        infinity.
        """
        noise = self.trace * (1 / batch - 1 / n)
        return max(self.gradient_squared, 0.0) / noise if noise > 0 else math.inf


class Sharpness(msgspec.Struct, frozen=True, kw_only=True):
    """Largest eigenvalue (by sign: the steepest upward curvature), in loss per squared weight."""

    value: float
    error: float
    """An eigenvalue lies this close to `value` (the norm of the Ritz pair's residual)."""
    products: Count
    """Hessian-vector products that it took."""
    samples: Count
    """Samples of the training set that the loss was taken over."""

    @property
    def is_reliable(self) -> bool:
        """True when known to a thousandth, or when the loss is as good as flat."""
        return self.error <= max(TOLERANCE * abs(self.value), 1e-9)


def edge_of_stability(lr: float, momentum: float, optimizer: str) -> float | None:
    """Sharpness beyond which full-batch steps grow: 2 ÷ lr, or 2 (1 + momentum) ÷ lr.

    Cohen et al. 2021, "Gradient Descent on Neural Networks Typically Occurs at the Edge of
    Stability", eq. 1. None for optimisers but SGD: they scale each weight's step by themselves.
    None, too, without any step: where scaling leaves nothing of an lr.
    """
    return 2 * (1 + momentum) / lr if lr and optimizer.lower() == "sgd" else None


DECAY: Final = 0.75
"""Decay of a measurement's weight with each that follows: about the last seven count."""


class SmoothedNoise:
    """The noise scale averaged over measurements, one after the other, with its interval.

    tr(Σ) and |G|² are averaged separately and divided only then: a quotient of averages, not an
    average of quotients, whose single values are biased and may be infinite (McCandlish et al.
    2018, appendix A.1). Measurements fade by a quarter with each that follows, and each weighs as
    the samples that it saw.

    The interval is Fieller's for the same quotient: the measurements draw their batches
    independently, so the variances of the averages are the sums of the single ones, times their
    weights squared. That holds for weights that hardly move meanwhile. Hence a measurement whose
    tr(Σ) or |G|² lies further from the average than the errors of both explain begins a new one:
    |G|² can fall tenfold between two measurements, and an average with the old one would be precise
    about a place that training has left. Slower drift may bias the average, by no more than about
    the width of a single interval, for then it would begin anew. Simulated over 300 seeds (32
    batches of 4, three coordinates), the interval of the twelfth measurement's average holds the
    present value in 93% while |G| stands still, in 88% where it falls by 3% or by 10% from one to
    the next; the single interval, several times as wide, does in 92%.
    """

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._weight = self._trace = self._squared = 0.0
        self._covariance: Covariance = (0.0, 0.0, 0.0)

    def add(self, found: NoiseScale) -> NoiseScale:
        """The smoothed noise scale with one more measurement; `samples`: those that still weigh.

        A measurement of unknown covariance cannot be averaged, and is given back as it is.
        """
        if found.covariance is None or found.batches < 2 or not found.samples:
            return found
        if self._weight and self._has_moved(found, found.covariance):
            self._reset()
        self._weight = DECAY * self._weight + found.samples
        self._trace = DECAY * self._trace + found.samples * found.trace
        self._squared = DECAY * self._squared + found.samples * found.gradient_squared
        first, mixed, last = (
            DECAY**2 * old + found.samples**2 * new
            for old, new in zip(self._covariance, found.covariance, strict=True)
        )
        self._covariance = (first, mixed, last)
        return self._quotient(found)

    def _has_moved(self, found: NoiseScale, covariance: Covariance) -> bool:
        """True when a measurement and the average can hardly be of the same noise scale."""
        bound = t_quantile(found.batches - 1) ** 2
        for value, total, own, of_total in (
            (found.trace, self._trace, covariance[0], self._covariance[0]),
            (found.gradient_squared, self._squared, covariance[2], self._covariance[2]),
        ):
            apart = value - total / self._weight
            if apart * apart > bound * (own + of_total / self._weight**2):
                return True
        return False

    def _quotient(self, latest: NoiseScale) -> NoiseScale:
        trace, squared = self._trace / self._weight, self._squared / self._weight
        first, mixed, last = (each / self._weight**2 for each in self._covariance)
        # The latest measurement's degrees of freedom: rather a little too wide than too narrow.
        quantile = t_quantile(latest.batches - 1)
        low, high = quotient_interval(trace, squared, (first, mixed, last), quantile)
        return msgspec.structs.replace(
            latest,
            value=trace / squared if squared > 0 else math.inf,
            low=low,
            high=high,
            trace=trace,
            gradient_squared=squared,
            samples=round(self._weight),
            covariance=(first, mixed, last),
        )
