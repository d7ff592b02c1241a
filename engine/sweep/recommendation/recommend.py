"""Two choices of batch size, lr and accumulation by a measured table. Pure arithmetic.

The recommendation is the row that was measured best: the lowest loss on all data in the same time,
at the lr tried. The prediction is for an lr tuned at each batch size. McCandlish et al. 2018
(arXiv:1812.06162, eq. 2.7): to the same loss, a batch of b takes a number of updates in proportion
to 1 + B/b, B being the noise scale. So training takes a time in proportion to t(b) × (1 + B/b),
with t(b) the time of an update: below the knee of throughput t is flat and larger is better, above
B the other factor is flat and larger is dearer. t(b) is read off the line a + c·b through all
measured times, so that one of them that was disturbed does not move the choice.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np

from engine.settings import LrScaling
from engine.sweep.recommendation.measured import comparison, measured_best, named
from engine.sweep.table import Recommendation, SweepRow, label

_NEAR: Final = 1.1
"""Times within this factor are as good as equal: the smallest such batch is taken."""
_KNEE: Final = 0.8
"""Share of the best throughput that counts as near the best."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of the choice beside the table."""

    noise_scale: float | None
    """Noise scale B in samples; infinite when the gradient may be zero; None: not measured."""
    lr_scaling: LrScaling
    """The rule that the table was trained by."""
    memory_limit_mb: float | None
    lr: Callable[[SweepRow, int], float]
    """The lr in force, by a row's settings, for so many samples an update."""


def recommend(rows: Sequence[SweepRow], terms: Terms) -> Recommendation | None:
    """The settings measured best; None when no loss of a sound arm was measured."""
    sound = _sound(rows)
    best = measured_best(sound, terms.lr_scaling)
    return None if best is None else _in_limit(*best, sound, terms)


def predict(rows: Sequence[SweepRow], terms: Terms) -> Recommendation | None:
    """The settings that should be best once their lr is tuned; None without a sound arm."""
    sound = _sound(rows)
    if not sound:
        return None
    chosen, why = _by_time(sound, terms.noise_scale)
    standing = comparison(chosen, sound, terms.lr_scaling)
    return _in_limit(chosen, "; ".join(part for part in (why, standing) if part), sound, terms)


def _sound(rows: Sequence[SweepRow]) -> list[SweepRow]:
    """The rows that were timed and did not diverge, by their samples an update."""
    return sorted(
        (row for row in rows if row.ms_per_update is not None and row.state != "diverged"),
        key=lambda row: row.samples_per_update,
    )


def _in_limit(chosen: SweepRow, why: str, rows: Sequence[SweepRow], terms: Terms) -> Recommendation:
    """The settings of a row, accumulated from smaller batches where it needs too much memory."""
    held, memory = _in_memory(chosen, rows, terms.memory_limit_mb)
    steps = -(-chosen.samples_per_update // held.samples_per_update)
    together = chosen.samples_per_update if steps == 1 else held.samples_per_update * steps
    return Recommendation(
        batch_size=held.batch_size,
        lr=terms.lr(chosen, together),
        accumulation_steps=steps,
        reason="; ".join(part for part in (why, memory) if part) + ".",
    )


def _by_time(rows: Sequence[SweepRow], noise_scale: float | None) -> tuple[SweepRow, str]:
    """The smallest batch that is about as fast as the fastest, and why."""
    knee = _knee(rows)
    if noise_scale is None:
        return knee, (
            f"{named(knee)} is the smallest with {_KNEE:.0%} of the best throughput, and no noise "
            "scale was measured that would favour a smaller one"
        )

    fixed, per_sample = update_time(rows)

    def time(row: SweepRow) -> float:
        size = row.samples_per_update
        updates = 1 / size if math.isinf(noise_scale) else 1 + noise_scale / size
        return (fixed + per_sample * size) * updates

    fastest = min(map(time, rows))
    chosen = next(row for row in rows if time(row) <= _NEAR * fastest)
    return chosen, (
        f"{named(chosen)} should be about the fastest to a given loss once its lr is tuned, by an "
        f"update's time × (1 + noise scale ÷ batch): {_noise(noise_scale)}, and "
        f"{_throughput(knee, rows)}"
    )


def _noise(scale: float) -> str:
    if math.isinf(scale):
        return "the noise scale is too large to be measured"
    return f"the noise scale is {scale:,.3g} samples"


def _throughput(knee: SweepRow, rows: Sequence[SweepRow]) -> str:
    if knee is rows[-1]:
        return f"throughput grows up to {named(knee)}"
    return f"throughput is near its best from {named(knee)} on"


def update_time(rows: Sequence[SweepRow]) -> tuple[float, float]:
    """Fit t(b) = a + c·b: a in ms, c in ms a sample; both ≥ 0, least relative squares."""
    sizes = np.array([row.samples_per_update for row in rows], np.float64)
    times = np.array([row.ms_per_update or 0.0 for row in rows], np.float64)
    # Errors of a time are in proportion to it: divided by it, all weigh the same.
    terms = np.stack([1 / times, sizes / times], axis=1)
    fixed, per_sample = np.linalg.lstsq(terms, np.ones(len(rows)), rcond=None)[0]
    if fixed < 0:
        return 0.0, float(terms[:, 1].sum() / (terms[:, 1] ** 2).sum())
    if per_sample < 0:
        return float(terms[:, 0].sum() / (terms[:, 0] ** 2).sum()), 0.0
    return float(fixed), float(per_sample)


def _knee(rows: Sequence[SweepRow]) -> SweepRow:
    best = max(row.samples_per_s or 0.0 for row in rows)
    return next(row for row in rows if (row.samples_per_s or 0.0) >= _KNEE * best)


def _in_memory(
    chosen: SweepRow, rows: Sequence[SweepRow], limit: float | None
) -> tuple[SweepRow, str]:
    """The row of the batch held in memory: the chosen one, or the largest that fits below it."""
    if limit is None or (chosen.peak_memory_mb is not None and chosen.peak_memory_mb <= limit):
        return chosen, ""
    fitting = [
        row
        for row in rows
        if row.samples_per_update <= chosen.samples_per_update
        and row.peak_memory_mb is not None
        and row.peak_memory_mb <= limit
    ]
    if not fitting:
        return rows[0], f"no batch size fits into {limit:,g} MB, so the smallest is accumulated"
    held = fitting[-1]
    return held, f"{limit:,g} MB hold {label(held.batch_size)} at once, the rest is accumulated"
