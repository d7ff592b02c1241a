"""Dates and times of day as people write them, as seconds: since 1970 in UTC, or since midnight."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Final

_CLOCK: Final = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<part>[.,][0-9]{1,9})?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|[+-][0-9]{2}:?[0-9]{2})?"
)
_END: Final = rf"(?:(?:T|,?\s+){_CLOCK})?"
_YEAR_FIRST: Final = re.compile(
    rf"(?P<year>[0-9]{{4}})(?P<by>[-/.])(?P<month>[0-9]{{1,2}})(?P=by)(?P<day>[0-9]{{1,2}}){_END}"
)
_YEAR_LAST: Final = re.compile(
    r"(?P<one>[0-9]{1,2})(?P<by>[-/.])(?P<two>[0-9]{1,2})(?P=by)"
    rf"(?P<year>[0-9]{{4}}|[0-9]{{2}}){_END}"
)
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_NAMED: Final = re.compile(
    r"(?:(?P<one>[0-9]{1,2})[-\s]\s*(?P<name>[A-Za-z]{3,9})\.?|"
    r"(?P<first>[A-Za-z]{3,9})\.?\s+(?P<two>[0-9]{1,2}))"
    rf",?[-\s]\s*(?P<year>[0-9]{{4}}|[0-9]{{2}}){_END}"
)
_TIME: Final = re.compile(_CLOCK)
_DOTTED_TIME: Final = re.compile(
    r"(?P<hour>[0-9]{1,2})\.(?P<minute>[0-9]{2})\.(?P<second>[0-9]{2})"
)
_MOSTLY: Final = 0.8
_PIVOT: Final = 69
"""Years of two digits from here on are of the 20th century, as POSIX has it."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class DateError(Exception):
    """A column of dates with a value that cannot be read; `value` is the text at fault."""

    def __init__(self, value: str, message: str) -> None:
        super().__init__(message)
        self.value = value


Reading = Callable[[str], float | None]


def read_dates(
    counts: Mapping[str, int], is_marker: Callable[[str], bool]
) -> dict[str, float] | None:
    """The different texts of a column as seconds; None for a column that is not of dates.

    Signs for missing values are left out. DateError for a date that cannot be one, unlike the
    others, or for days and months that may be either.
    """
    texts = [text for text in counts if not is_marker(text)]
    if not texts or not any(map(_looks_like_one, texts[:3])):
        return None
    found = _best(counts, texts)
    if found is None:
        return None
    wrong = next((text for text in texts if text not in found), None)
    if wrong is not None:
        raise DateError(wrong, f"{wrong!r} is not a date, unlike the others")
    return found


def _looks_like_one(text: str) -> bool:
    forms = (_YEAR_FIRST, _YEAR_LAST, _NAMED, _TIME, _DOTTED_TIME)
    return any(form.fullmatch(text.strip()) for form in forms)


def _best(counts: Mapping[str, int], texts: Iterable[str]) -> dict[str, float] | None:
    """The reading that most texts allow; None where no reading has most of them."""
    total = sum(counts[text] for text in texts)
    results = []
    for reading in (_year_first, _day_first, _month_first, _named, _time_of_day):
        read = {text: value for text in texts if (value := reading(text.strip())) is not None}
        if read and sum(counts[text] for text in read) >= _MOSTLY * total:
            results.append(read)
    if not results:
        return None
    results.sort(key=len, reverse=True)
    if len(results) > 1 and len(results[0]) == len(results[1]) and results[0] != results[1]:
        text = next(text for text in results[0] if results[0][text] != results[1].get(text))
        raise DateError(
            text, f"{text!r} is either day, month, year or month, day, year: write year-month-day"
        )
    return results[0]


def _year_first(text: str) -> float | None:
    found = _YEAR_FIRST.fullmatch(text)
    return found and _seconds(found, int(found["year"]), int(found["month"]), int(found["day"]))


def _day_first(text: str) -> float | None:
    found = _YEAR_LAST.fullmatch(text)
    return found and _seconds(found, _year(found), int(found["two"]), int(found["one"]))


def _month_first(text: str) -> float | None:
    found = _YEAR_LAST.fullmatch(text)
    if not found or found["by"] == ".":  # with dots, the day is first everywhere
        return None
    return _seconds(found, _year(found), int(found["one"]), int(found["two"]))


def _named(text: str) -> float | None:
    found = _NAMED.fullmatch(text)
    name = found and (found["name"] or found["first"])[:3].lower()
    if not found or name not in _MONTHS:
        return None
    day = int(found["one"] or found["two"])
    return _seconds(found, _year(found), _MONTHS.index(name) + 1, day)


def _time_of_day(text: str) -> float | None:
    found = _TIME.fullmatch(text)
    if found is not None:
        return None if (clock := _clock(found)) is None else clock.total_seconds()
    if dotted := _DOTTED_TIME.fullmatch(text):
        with suppress(ValueError):
            at = time(int(dotted["hour"]), int(dotted["minute"]), int(dotted["second"]))
            return float(3600 * at.hour + 60 * at.minute + at.second)
    return None


def _year(found: re.Match[str]) -> int:
    year = int(found["year"])
    if len(found["year"]) > 2:
        return year
    return year + (1900 if year >= _PIVOT else 2000)


def _seconds(found: re.Match[str], year: int, month: int, day: int) -> float | None:
    try:
        midnight = datetime(year, month, day, tzinfo=_zone(found["zone"]))
    except ValueError:
        return None
    clock = _clock(found) if found["hour"] else timedelta()
    if clock is None:
        return None
    return (midnight - _EPOCH).total_seconds() + clock.total_seconds()


def _zone(text: str | None) -> timezone:
    if text in (None, "Z", "UTC"):
        return UTC
    digits = text.replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:]))
    return timezone(-offset if digits[0] == "-" else offset)


def _clock(found: re.Match[str]) -> timedelta | None:
    """The time since midnight; None for one that no clock shows."""
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if half := found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "Pp" else 0)
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second)):
        return None
    part = float((found["part"] or "0").replace(",", "."))
    return timedelta(hours=hour, minutes=minute, seconds=second + part)
