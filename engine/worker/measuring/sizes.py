"""The two measurements of a model, each with as many samples as its time allows.

A small model is measured with thousands of samples. For a large one, a piece is timed first, and
the measurement takes fewer batches or samples; its result says how many.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.log.measurements import NoiseScale, Sharpness
from engine.measure.noise import FEWEST, noise_scale_of_sums

if TYPE_CHECKING:
    from engine.measure.model_copy import Probe
    from engine.measure.steps import Steps
    from engine.training.trainer import Trainer

SAMPLES: Final = 4096
"""Maximum samples of a sharpness, and of the first noise scale."""
_BATCHES: Final = 64
_FEWEST_BATCHES: Final = 8
"""Batches of a noise scale for which time is always taken."""
_FEWEST_SAMPLES: Final = 32
"""Samples of a sharpness for which time is always taken."""
_PRODUCTS: Final = 20
"""Hessian-vector products that a sharpness usually takes."""
_STEADY: Final = 0.02
"""Seconds from which on a piece is timed once: the first call of a short one takes far longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Computing time of one measurement, in seconds."""

    seconds: float
    """A measurement that takes longer is made with fewer samples."""
    at_most: float = math.inf
    """A measurement that takes longer even with the fewest samples is not made."""


class CostlyError(Exception):
    """A measurement that would take longer than it may; the message says how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it would take about {seconds:,.0f} s of computing")


def measure_noise(
    trainer: Trainer, draw: np.random.Generator, most: int, allowance: Allowance
) -> Steps[NoiseScale | None]:
    """Measure the noise scale with up to 64 batches, from up to `most` random samples.

    None if the data are too few. Raises CostlyError.
    """
    from engine.measure.gradients import gradient_sums, passes
    from engine.measure.model_copy import Probe

    probe = Probe.of(trainer, draw.choice(trainer.n, min(most, trainer.n), replace=False))
    count = min(_BATCHES, probe.samples)
    if count < FEWEST:
        return None
    size = probe.samples // count
    first = probe.part(min(size, probe.piece))
    cost = yield from _timed(
        first, lambda: first.gradient(0, first.samples, first.vector_of(first.zeros()))
    )
    cost *= passes(count, probe.gradient_bytes)
    count, size = _fitting(count, size, cost, allowance)
    sums = yield from gradient_sums(probe, count, size)
    return noise_scale_of_sums(sums, size, trainer.n)


def _fitting(count: int, size: int, cost: float, allowance: Allowance) -> tuple[int, int]:
    """Fewer batches, and then smaller ones, if a sample that costs so many seconds demands it."""
    if cost * count * size > allowance.seconds:
        count = max(int(allowance.seconds / (cost * size)), min(_FEWEST_BATCHES, count))
        size = max(min(int(allowance.seconds / (cost * count)), size), 1)
    if cost * count * size > allowance.at_most:
        raise CostlyError(cost * count * size)
    return count, size


def measure_sharpness(
    trainer: Trainer, draw: np.random.Generator, allowance: Allowance
) -> Steps[Sharpness]:
    """Measure the sharpness of the loss over all data, or over up to 4,096 samples of it.

    `draw` determines the samples: one seed, one part of the data. Raises CostlyError.
    """
    from engine.measure.model_copy import Probe
    from engine.measure.sharpness import sharpness

    probe = Probe.of(trainer, draw.choice(trainer.n, min(SAMPLES, trainer.n), replace=False))
    first = probe.part(probe.piece_of_products)
    seed = int(draw.integers(1 << 62))
    cost = yield from _timed(first, lambda: first.hessian_product(first.random(seed)))
    chosen = probe.samples
    while chosen > _FEWEST_SAMPLES and cost * chosen * _PRODUCTS > allowance.seconds:
        chosen = max(chosen // 4, _FEWEST_SAMPLES)
    if cost * chosen * _PRODUCTS > allowance.at_most:
        raise CostlyError(cost * chosen * _PRODUCTS)
    part = probe.part(chosen)
    return (yield from sharpness(part.hessian_product, part.random(seed), chosen))


def _timed(probe: Probe, piece: Callable[[], Steps[object]]) -> Steps[float]:
    """Time one piece of a probe that has no more samples; seconds a sample."""
    from engine.measure.steps import finish
    from engine.training.devices.process import synchronize

    # A thread's own time leaves out that of other programs, which would change the sizes.
    clock = time.thread_time if probe.device.type == "cpu" else time.perf_counter
    least = math.inf
    for _ in range(2):
        start = clock()
        finish(piece())
        synchronize(probe.device)
        least = min(least, clock() - start)
        yield
        if least > _STEADY:
            break
    return least / probe.samples
