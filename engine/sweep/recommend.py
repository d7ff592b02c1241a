"""Which batch size, lr and accumulation to train with, from a measured table. Pure arithmetic.

McCandlish et al. 2018 (arXiv:1812.06162, eq. 2.7): to the same loss, a batch of b takes a number of
updates in proportion to 1 + B/b, B being the noise scale. So training takes a time in proportion to
t(b) × (1 + B/b), with t(b) the time of an update: below the knee of throughput t is flat and larger is
better, above B the other factor is flat and larger is dearer. t(b) is read off the line a + c·b through
all measured times, so that one of them that was disturbed does not move the choice.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np

from engine.sweep.table import Recommendation, Row, label

_NEAR: Final = 1.1
"""Times within this factor are as good as equal: the smallest such batch is taken."""
_KNEE: Final = 0.8
"""Of the best throughput: from there on a larger batch gains little."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the choice goes by, beside the table."""

    noise_scale: float | None
    memory_limit_mb: float | None
    lr: Callable[[Row, int], float]
    """The lr in force, by a row's settings, for so many samples an update."""


def recommend(rows: Sequence[Row], terms: Terms) -> Recommendation | None:
    """The choice; None when nothing was trained soundly."""
    sound = sorted(
        (row for row in rows if row.ms_per_update is not None and row.state != "diverged"),
        key=lambda row: row.samples_per_update,
    )
    if not sound:
        return None
    chosen, why = _by_time(sound, terms.noise_scale)
    held, memory = _in_memory(chosen, sound, terms.memory_limit_mb)
    steps = -(-chosen.samples_per_update // held.samples_per_update)
    together = chosen.samples_per_update if steps == 1 else held.samples_per_update * steps
    return Recommendation(
        batch_size=held.batch_size,
        lr=terms.lr(chosen, together),
        accumulation_steps=steps,
        reason=f"{why}{memory}.",
    )


def _by_time(rows: Sequence[Row], noise_scale: float | None) -> tuple[Row, str]:
    """The smallest batch that is about as fast as the fastest, and why."""
    knee = _knee(rows)
    if noise_scale is None:
        return knee, (
            f"batch size {label(knee.batch_size)} is the smallest with {_KNEE:.0%} of the best throughput; "
            "the noise scale was not measured"
        )

    fixed, per_sample = update_time(rows)

    def time(row: Row) -> float:
        size = row.samples_per_update
        return (fixed + per_sample * size) * (1 + noise_scale / size)

    fastest = min(map(time, rows))
    chosen = next(row for row in rows if time(row) <= _NEAR * fastest)
    return chosen, (
        f"time to a given loss, in proportion to an update's time × (1 + noise scale ÷ batch), is least at "
        f"{label(chosen.batch_size)}: the noise scale is {noise_scale:,.3g} samples, and throughput gains "
        f"little from {label(knee.batch_size)} on"
    )


def update_time(rows: Sequence[Row]) -> tuple[float, float]:
    """Of t(b) = a + c·b: a, in ms, and c, in ms a sample; both ≥ 0, least squares of the relative errors."""
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


def _knee(rows: Sequence[Row]) -> Row:
    best = max(row.samples_per_s or 0.0 for row in rows)
    return next(row for row in rows if (row.samples_per_s or 0.0) >= _KNEE * best)


def _in_memory(chosen: Row, rows: Sequence[Row], limit: float | None) -> tuple[Row, str]:
    """The row whose batch is held in memory at once: the chosen one, or the largest below it that fits."""
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
        return rows[0], f"; no batch size fits into {limit:,g} MB, so the smallest is accumulated"
    held = fitting[-1]
    return held, f"; {limit:,g} MB hold {label(held.batch_size)} at once, the rest is accumulated"
