"""Names in fewer cells than they have, so that they can still be told apart. Pure."""

from functools import lru_cache


@lru_cache(maxsize=64)  # every frame asks for the same
def shortened(names: tuple[str, ...], cells: int) -> tuple[str, ...]:
    """The names in at most so many cells each: their beginnings where these are all different.

    Else those that are too long are cut in the middle, so that their ends are seen, too.
    """
    beginnings = tuple(name[:cells].rstrip() for name in names)
    if len({*beginnings}) == len({*names}):
        return beginnings
    return tuple(_with_end(name, cells) for name in names)


def _with_end(name: str, cells: int) -> str:
    if len(name) <= cells:
        return name
    tail = (cells - 1) // 2
    return f"{name[: cells - 1 - tail]}…{name[len(name) - tail :]}"
