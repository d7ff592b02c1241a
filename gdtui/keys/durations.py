"""Durations as users type them, in options and in scripts of keys: 90, 45s, 10m, 1h30m, 2d."""

import math
import re
from typing import Final

SECONDS: Final = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
"""The units, from the longest to the shortest, in seconds."""
EXAMPLES: Final = "45s, 10m, 1h30m or 2d"
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+"
_PLAIN: Final = re.compile(_NUMBER)
_PART: Final = re.compile(rf"({_NUMBER})(ms|[smhdw])")


def parse_duration(text: str) -> float | None:
    """Seconds; None if the text is not a duration. A plain number is seconds.

    Several units may follow one another, the longer ones first, as in 1h30m.
    """
    text = text.strip()
    seconds = float(text) if _PLAIN.fullmatch(text) else _sum(text)
    return None if seconds is None or math.isinf(seconds) else seconds


def parse_wait(word: str) -> float | None:
    """Seconds of a duration with a unit; a number without one is a key of a script, not a wait."""
    return None if _PLAIN.fullmatch(word) else parse_duration(word)


def _sum(text: str) -> float | None:
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    is_in_order = units == [unit for unit in SECONDS if unit in units]
    if not parts or not is_in_order or "".join(map("".join, parts)) != text:
        return None
    return sum(float(number) * SECONDS[unit] for number, unit in parts)
