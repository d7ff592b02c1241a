"""Reads one column of texts: as numbers, as times, as truth values, or as words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.problems.tabular.location import FileLocation
from engine.problems.tabular.reading.dates import DateError, read_dates
from engine.problems.tabular.reading.numerals import (
    EXACT,
    NumeralError,
    Numerals,
    is_marker,
    point_may_be_thousands,
    read_numerals,
)

BLANK: Final = "blank"
_TRUTH: Final = {"true": 1.0, "false": 0.0}
_MOST_INTEGER: Final = 2**63 - 1


class ValueKind(StrEnum):
    """The meaning of a column's values."""

    NUMBER = "number"
    TIME = "time"
    TEXT = "text"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadColumn:
    """A column as it was read, a value for each row."""

    kind: ValueKind
    values: Any
    """Float64 with NaN where there is no value; pandas' Int64 for whole numbers beyond float64;
    objects of str and None for texts."""
    markers: Mapping[str, int] = field(default_factory=dict)
    """Texts that were read as missing values, and how often."""
    unit: str = ""
    has_comma: bool = False
    different: int | None = None
    """Number of different texts, a missing one included; None if they were not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The user's decisions on a column."""

    kind: ValueKind | None = None
    decimal: str | None = None
    is_target: bool = False


def read_column(column: Any, location: FileLocation, wish: Wish) -> ReadColumn:
    """The column, a pyarrow array of strings or float64, read in the one way that its values allow.

    DataFileError names the line and the value that allow none, and the options that help.
    """
    if str(column.type) == "double":
        return ReadColumn(kind=ValueKind.NUMBER, values=_floats(column))
    if column.null_count == len(column) and wish.kind is None:
        return ReadColumn(kind=ValueKind.EMPTY, values=np.full(len(column), np.nan))
    if wish.kind is ValueKind.TEXT:
        return _texts(column)
    return _plain(column, wish) or _written(column, location, wish)


def _texts(column: Any) -> ReadColumn:
    """Words, without the blank that stands before each of them in files such as "a, b"."""
    compute = import_module("pyarrow.compute")
    if compute.all(compute.starts_with(column, " ")).as_py():
        column = compute.utf8_ltrim_whitespace(column)
    words, places = _encoded(column)
    values = np.array([*words, None], dtype=object)[places]
    different = len(words) + (column.null_count > 0 and "" not in words)
    return ReadColumn(kind=ValueKind.TEXT, values=values, different=different)


def _plain(column: Any, wish: Wish) -> ReadColumn | None:
    """Numbers in Python's notation, as almost all columns of numbers are; None for any other."""
    arrow, compute = import_module("pyarrow"), import_module("pyarrow.compute")
    first = next((each for each in column.slice(0, 50).to_pylist() if each), "0")
    if not _has_digit(first):
        return None
    if wish.decimal == "," and compute.any(compute.match_substring(column, ".")).as_py():
        return None
    try:
        numbers = compute.cast(column, arrow.float64())
    except arrow.ArrowInvalid:
        try:
            column = compute.utf8_trim_whitespace(column)
            numbers = compute.cast(column, arrow.float64())
        except arrow.ArrowInvalid:
            return None
    least, most = compute.min_max(numbers).as_py().values()
    if least is None or compute.any(compute.is_nan(numbers)).as_py():
        return None
    if max(-least, most) >= EXACT:
        return None
    return ReadColumn(kind=ValueKind.NUMBER, values=_floats(numbers))


def _floats(numbers: Any) -> NDArray[np.float64]:
    if numbers.num_chunks == 1:
        numbers = numbers.chunk(0)  # if it has no nulls, this is not copied
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)


def _written(column: Any, location: FileLocation, wish: Wish) -> ReadColumn:
    """Numbers in people's notation, dates, or words."""
    counts = _counts(column)
    is_forced = wish.kind is ValueKind.NUMBER
    if not is_forced and not any(map(_has_digit, counts)):
        return _truths(column, counts, wish) or _texts(column)
    try:
        if dates := read_dates(counts, is_marker):
            markers = {text: count for text, count in counts.items() if text not in dates}
            values = _mapped(column, dates)
            return ReadColumn(kind=ValueKind.TIME, values=values, markers=_shown(markers))
        numerals = read_numerals(counts, wish.decimal, is_forced=is_forced)
    except (NumeralError, DateError) as error:
        sample = import_module("pyarrow.compute").index(column, error.value).as_py()
        raise location.wrong(f"{error}{_ways_out(location, error, wish)}", sample=sample) from None
    if numerals is None:
        return _texts(column)
    return _numbers(column, numerals, wish)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _counts(column: Any) -> dict[str, int]:
    found = import_module("pyarrow.compute").value_counts(column)
    pairs = zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    return {text: count for text, count in pairs if text is not None}


def _shown(markers: Mapping[str, int]) -> dict[str, int]:
    shown: dict[str, int] = {}
    for text, count in markers.items():
        name = text.strip() or BLANK
        shown[name] = shown.get(name, 0) + count
    return shown


def _ways_out(location: FileLocation, error: Exception, wish: Wish) -> str:
    """The options that a user has where a column cannot be read."""
    if "--decimal" in str(error):
        return ""
    name = location.name.removeprefix("column ").strip("'\"")
    word = name if name.isalnum() else f"'{name}'"
    if wish.kind is ValueKind.NUMBER:
        return ""
    texts = f"--as-{'classes' if wish.is_target else 'text'} {word} takes the column as words"
    if isinstance(error, DateError):
        return f"; {texts}, --leave-out {word} leaves it out"
    if "infinite" in str(error) or "unit" in str(error) or "comma" in str(error):
        return f"; {texts}"
    return f"; --as-number {word} takes it for missing, {texts}"


def _truths(column: Any, counts: Mapping[str, int], wish: Wish) -> ReadColumn | None:
    """Truth values as 1 and 0; of a target they stay words, for its classes' names."""
    words = {text: _TRUTH.get(text.strip().casefold()) for text in counts}
    if wish.is_target or not words or None in words.values():
        return None
    return ReadColumn(kind=ValueKind.NUMBER, values=_mapped(column, words), unit="truth value")


def _numbers(column: Any, numerals: Numerals, wish: Wish) -> ReadColumn:
    values = numerals.numbers.values()
    largest = max(map(abs, values), default=0)
    is_whole = all(isinstance(value, int) for value in values)
    exact: Any
    if largest < EXACT or not is_whole:
        exact = _mapped(column, numerals.numbers)
    elif largest <= _MOST_INTEGER:
        exact = _integers(column, numerals.numbers)
    elif wish.kind is ValueKind.NUMBER:
        exact = _mapped(column, numerals.numbers)
    else:
        return _texts(column)
    return ReadColumn(
        kind=ValueKind.NUMBER,
        values=exact,
        markers=_shown(numerals.markers),
        unit=numerals.unit,
        has_comma=numerals.has_comma,
    )


def _mapped(column: Any, numbers: Mapping[str, Any]) -> NDArray[np.float64]:
    """A number for each row; NaN for texts that have none."""
    words, places = _encoded(column)
    table = np.array([float(numbers.get(word, np.nan)) for word in words] + [np.nan])
    return table[places]


def _integers(column: Any, numbers: Mapping[str, Any]) -> Any:
    """The same as pandas' Int64, in which a missing value takes no digit from the others."""
    pandas = import_module("pandas")
    words, places = _encoded(column)
    table = np.array([int(numbers.get(word, 0)) for word in words] + [0], dtype=np.int64)
    is_missing = np.array([word not in numbers for word in words] + [True])
    return pandas.arrays.IntegerArray(table[places], is_missing[places])


def _encoded(column: Any) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts, and the place of each row's among them; the last place for none."""
    encoded = import_module("pyarrow").chunked_array(column).combine_chunks()
    encoded = encoded.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    places = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    return words, places.astype(np.int64)


def as_wished(column: ReadColumn, kind: ValueKind) -> ReadColumn:
    """A column whose values have types, as numbers or as texts."""
    if column.kind is kind or column.kind is ValueKind.EMPTY:
        return column
    if kind is ValueKind.NUMBER:
        return replace(column, kind=kind)
    texts = [None if value != value else f"{value:.17g}" for value in column.values.tolist()]
    return ReadColumn(kind=kind, values=np.array(texts, dtype=object))


def may_hide_thousands(column: Any, read: ReadColumn) -> str | None:
    """The first text of a column read with decimal points that may be thousands instead."""
    if read.kind is not ValueKind.NUMBER or read.has_comma:
        return None
    return point_may_be_thousands(_counts(column))
