"""The choice of checkpoints to remove: recent ones stay dense, old ones get ever rarer."""

from collections.abc import Collection, Sequence
from typing import Final

MOST_KEPT: Final = 40
"""Largest number of checkpoints of a variant, however small they are."""
_FOR_FIRST: Final = 3
"""With room for so many, the first checkpoint of the latest generation stays."""

Place = tuple[int, int]
"""Generation, and batches done in it."""


def surplus(
    places: Sequence[Place], sizes: Sequence[int], limit: int, stay: Collection[Place] = ()
) -> list[int]:
    """Indices of checkpoints to remove, so that the rest takes at most `limit` bytes.

    `places` are in ascending order. The newest and those at `stay` stay, even if they are larger.
    """
    kept = list(range(len(places)))
    removed = []
    while len(kept) > MOST_KEPT or sum(sizes[k] for k in kept) > limit:
        found = _least_useful([places[k] for k in kept], stay)
        if found is None:
            break
        removed.append(kept.pop(found))
    return removed


def _least_useful(places: Sequence[Place], stay: Collection[Place]) -> int | None:
    """The index of the checkpoint that is missed least; None if all have to stay."""
    free = [k for k in range(len(places) - 1) if places[k] not in stay]
    if not free:
        return None
    if places[free[0]][0] != places[-1][0]:
        return free[0]  # of an earlier generation, whose future was left
    if len(places) > _FOR_FIRST and len(free) > 1 and free[0] == 0:
        del free[0]
    return min(free, key=lambda k: _usefulness(places, k))


def _usefulness(places: Sequence[Place], k: int) -> float:
    """The gap that a removal would leave, as a share of the distance to the newest."""
    before = places[k - 1][1] if k else 0
    return (places[k + 1][1] - before) / (places[-1][1] - places[k][1] or 1)
