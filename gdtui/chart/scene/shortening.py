"""Shortens names so that they stay distinguishable. Pure."""

from functools import lru_cache
from typing import Final

_ARROW: Final = " → "
"""Behind it stands what a variant is now: that must not be cut off."""


@lru_cache(maxsize=64)  # every frame requests the same
def shortened(names: tuple[str, ...], cells: int) -> tuple[str, ...]:
    """The names, each in at most `cells` cells: their beginnings, if these are all different.

    Otherwise, names that are too long are cut in the middle, so that their ends remain visible.
    """
    beginnings = tuple(
        _with_end(name, cells) if _ARROW in name else name[:cells].rstrip() for name in names
    )
    if len({*beginnings}) == len({*names}):
        return beginnings
    return tuple(_with_end(name, cells) for name in names)


def _with_end(name: str, cells: int) -> str:
    if len(name) <= cells:
        return name
    tail = (cells - 1) // 2
    return f"{name[: cells - 1 - tail]}…{name[len(name) - tail :]}"
