"""Numbers as people write them: decimal commas, thousands, currency, units, odd minus signs.

Arithmetic on text alone. A value may be read with a decimal point or with a decimal comma; a column
is read in the one way that all of its values allow, or not at all.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

EXACT: Final = 2**53
"""Whole numbers above it are not all exact as float64."""
_MOSTLY: Final = 0.8
"""A column with at least this share of numbers was meant as numbers: the rest are mistakes."""
_MOST_UNITS: Final = 3
"""Units of a column that are mistakes rather than words that begin with a digit."""
_GROUPS: Final = " '’\u00a0\u2009\u202f"
_ZEROS: Final = (0xFF10, 0x0660, 0x06F0, 0x0966)
"""The zeros of full width, Arabic, Persian and Devanagari."""
_SYMBOLS: Final = "$¢£¤¥฿₠-₿﷼﹩＄￠￡￥￦"
_CURRENCY: Final = rf"[A-Za-z]{{0,3}}[{_SYMBOLS}]|[A-Z]{{3}}|Rs\.?|Fr\.?|kr\.?|\\"
_SIGN: Final = r"[%‰°℃℉′″'\"µ][^\s\d,;()]{0,6}"
_UNIT: Final = rf"[^\W\d_][^\s\d,;()]{{0,15}}[²³]?(?:\s[{_SYMBOLS}])?|[{_SYMBOLS}]|{_SIGN}"
_WRITTEN: Final = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+−–﹣－‐‑]?)\s*(?P<before>{_CURRENCY})?\s*(?P<late>[-+−–]?)"
    rf"(?P<digits>[0-9](?:[0-9.,{_GROUPS}]*[0-9.,])?|[.,][0-9]+)(?P<power>[eE][-+−]?[0-9]{{1,4}})?"
    rf"(?P<trail>[-−])?(?P<gap>\s*)(?P<after>{_UNIT})?\s*(?P<close>\))?"
)
_GROUPED: Final = (
    r"[1-9][0-9]{{0,2}}(?:(?P<{n}>[{g}])[0-9]{{3}})(?:(?P={n})[0-9]{{3}})*(?:{d}[0-9]*)?"
)
_INDIAN: Final = r"|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]*)?"
_POINT: Final = re.compile(
    _GROUPED.format(n="a", g="," + _GROUPS, d=r"\.") + _INDIAN + r"|[0-9]*\.?[0-9]*"
)
_COMMA: Final = re.compile(_GROUPED.format(n="b", g="." + _GROUPS, d=",") + r"|[0-9]*,?[0-9]*")
_NOT_DIGITS: Final = str.maketrans("", "", "," + _GROUPS), str.maketrans(",", ".", "." + _GROUPS)
_TO_ASCII: Final = str.maketrans(
    {
        **{chr(zero + digit): str(digit) for zero in _ZEROS for digit in range(10)},
        "．": ".",
        "，": ",",
        "％": "%",
        "＋": "+",
        "٫": ".",
        "٬": ",",
        "\u3000": " ",
    }
)
"""Digits and signs as they are written in Japan, China, India and the Arab countries."""
_MISSING: Final = frozenset(
    ("na", "n/a", "#n/a", "#na", "n.a.", "n.a", "n/d", "nan", "-nan", "null", "nil", "none", "<na>",
     "missing", "unknown", "undefined", "not available", "no data", "nd", "n.d.", "k.a.", "k. a.",
     "#value!", "#div/0!", "#ref!", "#num!", "(null)", "[null]", "\\n")
)  # fmt: skip
_EXCEL_ERROR: Final = re.compile(r"#[^\W\d_/!?]{1,12}[!?]?|#¡[^\W\d_]+!")
"""Excel's errors in any language, such as #NV, #WERT! and #VALEUR!."""
_INFINITE: Final = re.compile(r"[-+−]?(inf|infinity|∞)", re.IGNORECASE)


class NumeralError(Exception):
    """A column of numbers with a value that cannot be read; `value` is the text at fault."""

    def __init__(self, value: str, message: str) -> None:
        super().__init__(message)
        self.value = value


@dataclass(frozen=True, slots=True, kw_only=True)
class Numerals:
    """A column's different texts as numbers."""

    numbers: Mapping[str, float | int]
    markers: Mapping[str, int] = field(default_factory=dict)
    """Texts that stand for missing values, and how often."""
    unit: str = ""
    has_comma: bool = False
    """Read with a decimal comma."""


def is_marker(text: str) -> bool:
    """True for a word or sign that stands for a missing value among numbers."""
    return (
        text.casefold() in _MISSING
        or bool(_EXCEL_ERROR.fullmatch(text))
        or not any(map(str.isalnum, text))
    )


def read_numerals(
    counts: Mapping[str, int], decimal: str | None = None, *, is_forced: bool = False
) -> Numerals | None:
    """The different texts of a column, with how often each appears, as numbers.

    None for a column of words. NumeralError for one of numbers that cannot be read in one way;
    `decimal` decides between point and comma. With `is_forced`, words are missing values.
    """
    written = {text: found for text in counts if (found := _WRITTEN.fullmatch(_plain(text)))}
    written = {text: found for text, found in written.items() if _is_balanced(found)}
    others = [text for text in counts if text not in written]
    words = [text for text in others if not is_marker(text)]
    count = sum(counts[text] for text in written)
    if count and (infinite := next(filter(is_infinite, words), None)):
        raise NumeralError(infinite, f"{infinite!r} is an infinite number")
    if not is_forced:
        if count < _MOSTLY * (count + sum(counts[text] for text in words)) or not count:
            return None
        if words:
            raise NumeralError(words[0], f"{words[0]!r} is not a number, unlike the others")
    elif not count:
        raise NumeralError(next(iter(counts)), f"{next(iter(counts))!r} is not a number")
    unit = _unit(written, counts, is_forced=is_forced)
    if unit is None:
        return None
    has_comma = _has_comma(written, decimal)
    numbers = {text: _value(found, has_comma=has_comma) for text, found in written.items()}
    for text, value in numbers.items():
        if value in (math.inf, -math.inf):
            raise NumeralError(text, f"{text!r} is an infinite number")
    return Numerals(
        numbers=numbers,
        markers={text: counts[text] for text in others},
        unit=unit,
        has_comma=has_comma and any("," in found["digits"] for found in written.values()),
    )


def _plain(text: str) -> str:
    """The text without blanks around it, its digits and signs those of ASCII."""
    text = text.strip()
    return text if text.isascii() else text.translate(_TO_ASCII)


def is_infinite(text: str) -> bool:
    """True for the words for infinity."""
    return bool(_INFINITE.fullmatch(text.strip()))


def _is_balanced(found: re.Match[str]) -> bool:
    """Parentheses are a pair or none, there is one sign, and one currency or unit."""
    if bool(found["open"]) != bool(found["close"]) or (found["open"] and _sign(found)):
        return False
    if found["before"] and found["after"] not in (None, "%"):
        return False
    is_read = _POINT.fullmatch(found["digits"]) or _COMMA.fullmatch(found["digits"])
    return bool(is_read) and sum(bool(found[each]) for each in ("sign", "late", "trail")) <= 1


def _sign(found: re.Match[str]) -> str:
    return found["sign"] or found["late"] or found["trail"] or ""


def _unit_of(found: re.Match[str]) -> str:
    unit = (found["before"] or found["after"] or "").strip()
    return "¥" if unit == "\\" else unit  # Shift JIS has the yen at its place


def _unit(
    written: Mapping[str, re.Match[str]], counts: Mapping[str, int], *, is_forced: bool
) -> str | None:
    """The unit of all; None where the units are words, such as in 1st, 2nd or 12A, 12B."""
    shares: dict[str, int] = {}
    examples: dict[str, str] = {}
    for text, found in written.items():
        unit = _unit_of(found)
        shares[unit] = shares.get(unit, 0) + counts[text]
        examples.setdefault(unit, text)
    if len(shares) == 1:
        return next(iter(shares))
    if is_forced and len(shares) == 2 and "" in shares:
        return max(shares, key=len)
    usual = max(shares, key=lambda unit: shares[unit])
    other = next(unit for unit in shares if unit != usual)
    is_mostly = shares[usual] >= _MOSTLY * sum(shares.values())
    if not is_mostly and not is_forced and (len(shares) > _MOST_UNITS or _are_words(written)):
        return None
    raise NumeralError(
        examples[other], f"{examples[other]!r} has another unit than {examples[usual]!r}"
    )


def _are_words(written: Mapping[str, re.Match[str]]) -> bool:
    """True where letters follow the digits at once."""
    return all(
        not found["before"]
        and (found["after"] is None or (found["after"][0].isalpha() and not found["gap"]))
        for found in written.values()
    )


def _has_comma(written: Mapping[str, re.Match[str]], decimal: str | None) -> bool:
    """True for a decimal comma, False for a point; NumeralError where it is neither or unclear."""
    no_point = _first_unread(written, _POINT)
    no_comma = _first_unread(written, _COMMA)
    if no_point is not None and no_comma is not None:
        raise NumeralError(
            no_point, f"{no_point!r} has a decimal comma, but {no_comma!r} has a point"
        )
    if no_point is not None or no_comma is not None:
        return no_point is not None
    if decimal is not None:
        return decimal == ","
    unclear = next((text for text, found in written.items() if "," in found["digits"]), None)
    if unclear is not None:
        found = written[unclear]
        point, comma = (_value(found, has_comma=each) for each in (False, True))
        raise NumeralError(
            unclear,
            f"{unclear!r} is either {point:,} or {comma:,}: choose with --decimal . or --decimal ,",
        )
    return False


def _first_unread(written: Mapping[str, re.Match[str]], form: re.Pattern[str]) -> str | None:
    return next(
        (text for text, found in written.items() if not form.fullmatch(found["digits"])), None
    )


def _value(found: re.Match[str], *, has_comma: bool) -> float | int:
    digits = found["digits"].translate(_NOT_DIGITS[has_comma])
    power = (found["power"] or "").replace("−", "-")
    value = int(digits) if digits.isdigit() and not power else float(digits + power)
    is_negative = found["open"] or _sign(found) not in ("", "+")
    return -value if is_negative else value


def point_may_be_thousands(texts: Iterable[str]) -> str | None:
    """The first text where all could have points between thousands, such as 1.234; else None."""
    first = None
    for text in texts:
        if not re.fullmatch(r"[-+−]?[1-9][0-9]{0,2}(\.[0-9]{3})?", text.strip()):
            return None
        if first is None and "." in text:
            first = text
    return first
