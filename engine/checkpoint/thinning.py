"""The choice of checkpoints to remove: recent ones stay dense, old ones get ever rarer."""

from collections.abc import Sequence
from typing import Final

MOST_KEPT: Final = 40
"""Largest number of checkpoints of a variant, however small they are."""
_FOR_FIRST: Final = 3
"""With room for so many, the first checkpoint of the latest generation stays."""

Place = tuple[int, int]
"""Generation, and batches done in it."""


def surplus(places: Sequence[Place], sizes: Sequence[int], limit: int) -> list[int]:
    """Indices of checkpoints to remove, so that the rest takes at most `limit` bytes.

    `places` are in ascending order. The newest stays, even if it is larger.
    """
    kept = list(range(len(places)))
    removed = []
    while len(kept) > 1 and (len(kept) > MOST_KEPT or sum(sizes[k] for k in kept) > limit):
        removed.append(kept.pop(_least_useful([places[k] for k in kept])))
    return removed


def _least_useful(places: Sequence[Place]) -> int:
    """The index of the checkpoint that is missed least."""
    newest = places[-1]
    if places[0][0] != newest[0]:
        return 0  # of an earlier generation, whose future was left
    begin = 1 if len(places) > _FOR_FIRST else 0
    return min(range(begin, len(places) - 1), key=lambda k: _usefulness(places, k))


def _usefulness(places: Sequence[Place], k: int) -> float:
    """The gap that a removal would leave, as a share of the distance to the newest."""
    before = places[k - 1][1] if k else 0
    return (places[k + 1][1] - before) / (places[-1][1] - places[k][1] or 1)
