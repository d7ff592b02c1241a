"""The size of a virtual terminal, as it is typed."""

import re
from typing import Final

from click import BadParameter

SCREEN_SIZE: Final = "160x45"
_WORDS: Final = re.compile(r"(\d{1,6})[x×](\d{1,6})", re.IGNORECASE)
_LEAST: Final = (20, 6)
_MOST: Final = (400, 200)


def screen_size(text: str) -> tuple[int, int]:
    """Columns and rows, from a text such as 160x45."""
    found = _WORDS.fullmatch(text.strip())
    if found is None:
        raise BadParameter(f"{text[:40]!r}: expected columns and rows, e.g. {SCREEN_SIZE} or 80x24")
    size = int(found[1]), int(found[2])
    if not all(low <= n <= high for low, n, high in zip(_LEAST, size, _MOST, strict=True)):
        (least, fewest), (most, largest) = _LEAST, _MOST
        raise BadParameter(f"{text!r}: expected {least}x{fewest} to {most}x{largest}")
    return size
