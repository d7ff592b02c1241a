"""Numbers as programs print them: signs, exponents, thousands separators, nan and inf."""

import math
from typing import Final

NUMBER: Final = (
    r"[-+]?(?:\d{1,3}(?:,\d{3})+(?![\d])(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    r"|[-+]?(?i:nan|inf(?:inity)?)(?![A-Za-z])"
)
"""A pattern for a number; without a group."""
_MOST_DIGITS: Final = 400
_PREFIXES: Final = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_MOST_COUNTED: Final = 10**15


def number(text: str) -> float:
    """The value of a text that NUMBER matches; too large a number is infinite."""
    if len(text) > _MOST_DIGITS:
        return math.nan
    return float(text.replace(",", ""))


def prefixed(value: float, unit: str) -> tuple[float, str]:
    """The value and unit without a prefix that stands alone, as in 1.5k."""
    factor = _PREFIXES.get(unit)
    return (value, unit) if factor is None else (value * factor, "")


def count(text: str) -> int | None:
    """A whole number from 0, perhaps with thousands separators or a prefix as in 1.5k."""
    factor = _PREFIXES.get(text[-1:], 1.0)
    try:
        value = float((text[:-1] if factor > 1 else text).replace(",", "")) * factor
    except ValueError:
        return None
    if not 0 <= value <= _MOST_COUNTED or value != round(value):
        return None
    return round(value)
