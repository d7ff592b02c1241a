"""Reads CSV text into columns of numbers; errors name the line. Fills in nothing.

Works in blocks, column by column: 1,000,000 rows take seconds, and only the current block is held
as text.
"""

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.settings import MOST
from gdtui.export.csv_import.names import ColumnNameError, NamedColumns, name_columns

_BLOCK_ROWS: Final = 65_536
_MOST_VARIANTS: Final = 1_000
_MOST_SECONDS: Final = 1e16
"""Nanoseconds since 1970 are beyond it; conventions.py looks at what is left of it."""


class ImportFormatError(ValueError):
    """CSV from which no run can be made; the message names the line."""


_NOTHING: Final = frozenset(("", "na", "n/a", "null", "none", "-", "<na>"))
"""Words for no value; nan is a loss that is not a number."""


def _loss(text: str) -> float:
    return math.nan if _is_nothing(text) else _decimal(text)


def _is_nothing(text: str) -> bool:
    return text.strip().lower() in _NOTHING


def _decimal(text: str) -> float:
    """A number, with a decimal comma if need be: only files with other separators have one."""
    try:
        return float(text)
    except ValueError:
        return float(text.replace(",", ".", 1))


def _or_nothing(parse: Callable[[str], float]) -> Callable[[str], float]:
    """Reads a number, or NaN where there is no value, as in sparse columns."""
    return lambda text: math.nan if _is_nothing(text) else parse(text)


def _whole(text: str) -> float:
    """A whole number, such as 49 or 49.0."""
    value = _decimal(text)
    if not value.is_integer():
        raise ValueError(text)
    return value


def _clock(text: str) -> float:
    """Seconds, as a number, as h:mm:ss or as a date."""
    try:
        return _decimal(text)
    except ValueError:
        if "-" in text:
            return datetime.fromisoformat(text.strip()).timestamp()
        parts = [float(part) for part in text.split(":")]
        return float(sum(part * 60**place for place, part in enumerate(reversed(parts))))


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """The kind of a column: the function that reads its texts, and the limits of its values."""

    parse: Callable[[str], float]
    dtype: str
    least: float
    most: float
    what: str
    odd: Callable[[str], float]
    """Reads the texts of other programs, too."""


_ODD: Final = _or_nothing(_whole)
_COUNT: Final = ColumnKind(int, "i8", 1, MOST, "a whole number from 1", _ODD)
_FROM_0: Final = ColumnKind(int, "i8", 0, MOST, "a whole number from 0", _ODD)
_KINDS: Final = {
    "generation": _COUNT,
    "batch": _FROM_0,
    "update": _FROM_0,
    "epoch": ColumnKind(int, "i8", 0, MOST, "a number from 0", _or_nothing(_decimal)),
    "samples": _FROM_0,
    "seconds": ColumnKind(float, "f8", 0.0, _MOST_SECONDS, "a number from 0", _or_nothing(_clock)),
    "batch_size": _COUNT,
    "accumulation_steps": _COUNT,
    "lr": ColumnKind(float, "f8", 0.0, 1e300, "a number from 0", _or_nothing(_decimal)),
    "loss": ColumnKind(_loss, "f8", -math.inf, math.inf, "a number", _loss),
}


@dataclass(frozen=True, slots=True)
class ParsedRows:
    """The columns present in the file, with a value for each row, in the order of the file."""

    source: str
    """The name of the file, for messages."""
    names: tuple[str, ...]
    """The variants, in the order of their first rows."""
    variant: NDArray[np.int64]
    """For each row, the index of its variant in `names`."""
    columns: dict[str, NDArray[Any]]
    lines: NDArray[np.int64]
    """The line of each row in the file, from 1."""
    has_loss: NDArray[np.bool_]
    """True where the field of the loss is not empty."""
    named: NamedColumns
    """The columns of the file under our names."""

    def error(self, row: int, text: str) -> ImportFormatError:
        """An error for this row, with its line number."""
        return ImportFormatError(f"{self.source}:{self.lines[row]}: {text}")


def read_rows(
    lines: Iterable[str],
    source: str,
    columns: Mapping[str, str] = MappingProxyType({}),
    separator: str = ",",
    only_variant: str = "run",
) -> ParsedRows:
    """All rows of a CSV whose first line names the columns. Raises ImportFormatError.

    `columns`: their names by ours. `only_variant`: the name of the variant in a file without names.
    """
    reader = csv.reader(lines, delimiter=separator)
    header = next(reader, [])
    try:
        named = name_columns(header, columns)
    except ColumnNameError as error:
        raise ImportFormatError(f"{source}:1: {error}") from None
    table = _Table(source, len(header), named, only_variant)
    while True:
        before = reader.line_num
        try:
            records = list(islice(reader, _BLOCK_ROWS))
        except csv.Error as error:
            raise ImportFormatError(f"{source}:{reader.line_num}: {error}") from None
        if not records:
            return table.rows()
        table.add(records, _line_numbers(records, before, reader.line_num))


def _line_numbers(records: list[list[str]], before: int, after: int) -> NDArray[np.int64]:
    """The line on which each record begins."""
    if after - before == len(records):
        return np.arange(before + 1, after + 1)
    heights = [1 + sum(field.count("\n") for field in record) for record in records]
    starts: NDArray[np.int64] = before + 1 + np.r_[0, np.cumsum(heights[:-1], dtype=np.int64)]
    return starts


class _Table:
    """The columns read so far."""

    def __init__(self, source: str, width: int, named: NamedColumns, only_variant: str) -> None:
        self._source, self._width = source, width
        self._named, self._places = named, named.places
        self._names: dict[str, int] = {} if "variant" in self._places else {only_variant: 0}
        self._blocks: dict[str, list[NDArray[Any]]] = {
            name: [] for name in (*self._places, "line", "has_loss")
        }

    def rows(self) -> ParsedRows:
        columns = {name: np.concatenate(parts) for name, parts in self._blocks.items() if parts}
        if not columns:
            raise ImportFormatError(f"{self._source}: no rows")
        lines, has_loss = columns.pop("line"), columns.pop("has_loss")
        variant = columns.pop("variant", np.zeros(len(lines), np.int64))
        names = tuple(self._names)
        return ParsedRows(self._source, names, variant, columns, lines, has_loss, self._named)

    def add(self, records: list[list[str]], lines: NDArray[np.int64]) -> None:
        """Add a block of records, without blank lines."""
        if not all(records):
            lines = lines[[bool(record) for record in records]]
            records = [record for record in records if record]
        if not records:
            return
        good = self._as_wide_as_the_header(records)
        texts = list(zip(*records[:good], strict=True))
        wrong = [] if good == len(records) else [(good, self._width_error(records[good]))]
        for name, place in self._places.items() if texts else ():
            column = texts[place]
            values, bad = (
                self._codes(column) if name == "variant" else _numbers(column, _KINDS[name])
            )
            if bad is not None:
                wrong.append((bad, _complaint(name, column[bad])))
            self._blocks[name].append(values)
        if wrong:
            row, text = min(wrong)
            raise ImportFormatError(f"{self._source}:{lines[row]}: {text}")
        self._blocks["line"].append(lines)
        losses = texts[self._places["loss"]]
        self._blocks["has_loss"].append(np.array([not _is_nothing(text) for text in losses]))

    def _as_wide_as_the_header(self, records: list[list[str]]) -> int:
        """The number of leading records that have as many fields as the header."""
        if set(map(len, records)) == {self._width}:
            return len(records)
        return next(row for row, record in enumerate(records) if len(record) != self._width)

    def _width_error(self, record: list[str]) -> str:
        count = "1 field" if len(record) == 1 else f"{len(record)} fields"
        return f"{count}, but the first line names {self._width}"

    def _codes(self, texts: Sequence[str]) -> tuple[NDArray[Any], int | None]:
        """The indices of the variants, and the first row with an invalid name."""
        for name in dict.fromkeys(texts):
            if name in self._names:
                continue
            if not (name and name.isprintable()) or len(self._names) == _MOST_VARIANTS:
                return np.empty(0), texts.index(name)
            self._names[name] = len(self._names)
        places = self._names
        return np.array([places[name] for name in texts], np.int64), None


def _numbers(texts: Sequence[str], kind: ColumnKind) -> tuple[NDArray[Any], int | None]:
    """A column's values, and the first row with an invalid text."""
    try:
        values = np.array(list(map(kind.parse, texts)), kind.dtype)
    except (ValueError, OverflowError):
        return _odd_numbers(texts, kind)
    if math.isinf(kind.most):
        return values, None
    bad = ~((values >= kind.least) & (values <= kind.most))  # so NaN is bad
    return values, int(bad.argmax()) if bad.any() else None


def _odd_numbers(texts: Sequence[str], kind: ColumnKind) -> tuple[NDArray[Any], int | None]:
    """The same for texts such as 49.0, 0:05 or NA; NaN where there is no value."""
    values = np.empty(len(texts))
    for row, text in enumerate(texts):
        try:
            values[row] = kind.odd(text)
        except (ValueError, OverflowError):
            return np.empty(0), row
        is_in_range = kind.least <= values[row] <= kind.most
        if not (is_in_range or math.isinf(kind.most) or _is_nothing(text)):
            return np.empty(0), row
    return values, None


def _complaint(column: str, text: str) -> str:
    shown = repr(text if len(text) <= 40 else text[:39] + "…")
    if column != "variant":
        return f"{column} {shown} is not {_KINDS[column].what}"
    if text and text.isprintable():
        return f"variant {shown} is one too many: at most {_MOST_VARIANTS:,}"
    return f"variant {shown}: must be a name of printable characters"
