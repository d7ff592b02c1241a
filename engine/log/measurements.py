"""Measurements as stored in a log, and the noise scale smoothed over them.

Imports neither torch nor numpy.
"""

import math
from typing import Final

import msgspec

from engine.settings import VariantSettings
from engine.settings.ranges import Count
from engine.statistics.intervals import Covariance, quotient_interval, t_quantile

TOLERANCE: Final = 1e-3
"""Relative tolerance of the sharpness."""

_WIDEST: Final = 4.0
"""If the ends of an interval are further apart than this factor, it is unreliable."""


class NoiseScale(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate of the simple noise scale tr(Σ) ÷ |G|², in samples, with a 95% interval."""

    value: float
    """Infinite if the estimate of |G|² is not positive."""
    low: float
    high: float
    """Infinite if |G|² may be zero."""
    trace: float
    """The estimate of tr(Σ)."""
    gradient_squared: float
    """The estimate of |G|²; may be negative if few samples were used."""
    samples: Count
    """Samples used for the estimate."""
    batches: Count = 0
    """Batches used for the estimate; 0 in logs of earlier versions."""
    covariance: Covariance | None = None
    """Variance of `trace`, covariance of the two estimates, variance of `gradient_squared`."""
    not_finite: Count = 0
    """Batches with a NaN or an infinity in their gradient; the estimates are then NaN."""

    @property
    def is_finite(self) -> bool:
        """True if both estimates are numbers, so that there is a noise scale, perhaps infinite."""
        return math.isfinite(self.trace) and math.isfinite(self.gradient_squared)

    @property
    def is_reliable(self) -> bool:
        """True if the ends of the interval are within a factor of four of each other."""
        return self.high <= _WIDEST * self.low

    def signal_to_noise(self, batch: int, n: int) -> float:
        """Signal-to-noise of an update: |G|² ÷ the expected squared error of its gradient.

        The error of a mean over a batch drawn without replacement is tr(Σ) × (1/batch − 1/n)
        (Cochran, "Sampling Techniques", theorem 2.2). The full batch has no error, hence infinity.
        NaN if the gradients were not finite.
        """
        if not self.is_finite:
            return math.nan
        noise = self.trace * (1 / batch - 1 / n)
        return max(self.gradient_squared, 0.0) / noise if noise > 0 else math.inf

    def signal_to_noise_interval(self, batch: int, n: int) -> tuple[float, float]:
        """The 95% interval of `signal_to_noise`: that of the noise scale, turned over."""
        share = 1 / batch - 1 / n
        if not self.is_finite:
            return math.nan, math.nan
        if share <= 0:
            return math.inf, math.inf
        low, high = self.high * share, self.low * share
        return 1 / low if low else math.inf, 1 / high if high else math.inf


class Sharpness(msgspec.Struct, frozen=True, kw_only=True):
    """Algebraically largest eigenvalue of the Hessian, in units of loss per squared weight."""

    value: float
    error: float
    """Distance within which an eigenvalue lies of `value` (norm of the Ritz pair's residual)."""
    products: Count
    """Number of Hessian-vector products computed."""
    samples: Count
    """Number of training samples over which the loss was computed."""

    @property
    def is_finite(self) -> bool:
        """False if a product with the Hessian had a NaN or an infinity."""
        return math.isfinite(self.value)

    @property
    def is_reliable(self) -> bool:
        """True if known to one part in a thousand, or if the loss is practically flat."""
        return self.error <= max(TOLERANCE * abs(self.value), 1e-9)


def edge_of_stability(lr: float, settings: VariantSettings) -> float | None:
    """Sharpness beyond which full-batch steps grow: 2 ÷ lr, or 2 (1 + momentum) ÷ lr.

    Cohen et al. 2021, "Gradient Descent on Neural Networks Typically Occurs at the Edge of
    Stability", eq. 1 and appendix B. None for optimisers other than SGD, which scale each weight's
    step separately, and for an lr of zero, as at the start of a warm-up. Weight decay adds to the
    sharpness.
    """
    factor = edge_factor(settings)
    if factor is None or not lr:
        return None
    decay = settings.optimizer_parsed.arguments.get("weight_decay", 0)
    return factor / lr - decay if isinstance(decay, int | float) else None


def edge_factor(settings: VariantSettings) -> float | None:
    """The edge of stability times the lr, without weight decay; None without an edge."""
    name, arguments = settings.optimizer_parsed
    if name != "sgd" or any(arguments.get(each) for each in ("maximize", "dampening")):
        return None
    momentum = settings.momentum or arguments.get("momentum", 0)
    if not isinstance(momentum, int | float):
        return None
    factor = 2 * (1 + momentum)
    return factor / (1 + 2 * momentum) if arguments.get("nesterov") else factor


DECAY: Final = 0.75
"""Factor on a measurement's weight for each later one: about the last seven count."""


class SmoothedNoise:
    """The noise scale averaged over successive measurements, with its interval.

    tr(Σ) and |G|² are averaged separately before the division: a quotient of averages, not an
    average of quotients, since single quotients are biased and may be infinite (McCandlish et al.
    2018, appendix A.1). A measurement's weight is its number of samples, and shrinks by a quarter
    with each later measurement.

    The interval is Fieller's for the same quotient. The measurements draw their batches
    independently, so the variance of an average is the sum of the single variances, each times its
    squared weight. That assumes that the model hardly changes meanwhile. Hence a new average begins
    when tr(Σ) or |G|² of a measurement is further from the average than the errors of both explain:
    |G|² can fall tenfold between two measurements, and an average with older ones would be a
    precise figure for a point that training has left. Slower drift can bias the average by at most
    about the width of a single interval, since a larger bias would begin a new average. In a
    simulation with 300 seeds (32 batches of 4, three coordinates), the interval after twelve
    measurements contains the current value in 93% of cases if |G| is constant, and in 88% if |G|
    falls by 3% or 10% per measurement. The interval of a single measurement, several times as wide,
    contains it in 92%.
    """

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._weight = self._trace = self._squared = 0.0
        self._covariance: Covariance = (0.0, 0.0, 0.0)

    def add(self, found: NoiseScale) -> NoiseScale:
        """Add a measurement; return the smoothed noise scale, its `samples` the total weight.

        A measurement of unknown covariance, or with gradients that are not finite, cannot be
        averaged and is returned unchanged.
        """
        if not found.is_finite:
            return found
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
        """True if a measurement and the average differ by more than their errors explain."""
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
        # Only the latest measurement's degrees of freedom, which errs towards a wider interval.
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
