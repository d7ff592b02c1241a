"""Words of the lesson's table that the measured column beside them contradicts. Pure arithmetic.

The words of a column have an order: "poor" promises fewer samples a second than "good". Two of
them are contradicted where what was measured lies the other way round, and two far apart also where
it is the same. Words that hedge ("may overfit") are contradicted by the other order alone, and one
that promises nothing ("varies") by none.
"""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Final

from msgspec.structs import replace

from engine.sweep.table import SweepRow

_RANKS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "gradient_quality": (
        ("very noisy",), ("moderate noise",), ("low noise",), ("very clean",), ("exact",),
    ),
    "gpu_efficiency": (("poor",), ("moderate",), ("good",), ("excellent",)),
    "generalisation": (
        ("can be good", "good"), ("moderate",), ("may overfit",), ("risk of sharp minima",),
    ),
    "memory": (("minimal",), ("low",), ("medium",), ("high",), ("very high",)),
}  # fmt: skip
"""The words of each column from the smallest figure to the largest."""
_HEDGED: Final = ("generalisation",)
_CLEAR: Final = 0.1
"""Least relative difference of two figures that counts as one."""
_SAME: Final = 0.02
"""Greatest relative difference of two figures that are the same."""
_FAR: Final = 2
"""Places between two words that cannot stand for the same figure."""
_NOISE: Final = 0.01
"""A share of the loss: smaller gaps are noise."""


def contradicted(
    column: str, words: Sequence[str], figures: Sequence[float | None], noise: float = 0.0
) -> tuple[bool, ...]:
    """True for each word of a column that the figures beside the words contradict.

    `figures`: larger ones belong to words that promise more; None or NaN: not measured. `noise`:
    differences up to this count as none.
    """
    found = [False] * len(words)
    known = [
        (place, rank, figure)
        for place, (word, figure) in enumerate(zip(words, figures, strict=True))
        if figure is not None and not math.isnan(figure) and (rank := _rank(column, word)) >= 0
    ]
    for one, other in combinations(known, 2):
        (first, rank, figure), (second, later, larger) = sorted((one, other), key=lambda x: x[1])
        if rank == later:
            continue
        is_far = later - rank >= _FAR and column not in _HEDGED
        if _is_reversed(figure, larger, noise) or (is_far and _is_same(figure, larger)):
            found[first] = found[second] = True
    return tuple(found)


def _rank(column: str, word: str) -> int:
    ranks = enumerate(_RANKS[column])
    return next((place for place, words in ranks if word in words), -1)


def _is_reversed(figure: float, larger: float, noise: float) -> bool:
    """True where the figure that should be the larger one is clearly the smaller one."""
    if math.isinf(figure) or math.isinf(larger):
        return larger < figure
    return figure - larger > max(_CLEAR * max(abs(figure), abs(larger)), noise)


def _is_same(figure: float, larger: float) -> bool:
    if math.isinf(figure) or math.isinf(larger):
        return figure == larger
    return abs(figure - larger) <= _SAME * max(abs(figure), abs(larger))


def marked(rows: Sequence[SweepRow]) -> tuple[SweepRow, ...]:
    """The rows of a sweep, each with the columns whose word is contradicted."""
    losses = [abs(row.loss_equal_epochs) for row in rows if row.loss_equal_epochs is not None]
    noise = _NOISE * max(losses, default=0.0)
    columns = {
        "gradient_quality": [_cleanliness(row) for row in rows],
        "gpu_efficiency": [row.samples_per_s for row in rows],
        "generalisation": [row.generalisation_gap for row in rows],
        "memory": [row.peak_memory_mb for row in rows],
    }
    found = {
        name: contradicted(
            name,
            [getattr(row.lesson, name) for row in rows],
            figures,
            noise if name == "generalisation" else 0.0,
        )
        for name, figures in columns.items()
    }
    return tuple(
        replace(row, contradicted=tuple(name for name, marks in found.items() if marks[place]))
        for place, row in enumerate(rows)
    )


def _cleanliness(row: SweepRow) -> float | None:
    """A figure that is larger for a gradient with less noise."""
    return None if row.gradient_noise is None else -row.gradient_noise
