"""Reads CSV text into columns of numbers; errors name the line. Fills in nothing.

Works in blocks, column by column: 1,000,000 rows take seconds, and only the current block is held
as text.
"""

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.settings import MOST
from gdtui.export.csv_export import COLUMNS

NEEDED: Final = ("variant", "batch", "loss")
_BLOCK_ROWS: Final = 65_536
_MOST_VARIANTS: Final = 1_000
_MOST_SECONDS: Final = 1e12


class ImportFormatError(ValueError):
    """CSV from which no run can be made; the message names the line."""


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """The kind of a column: the function that reads its texts, and the limits of its values."""

    parse: Callable[[str], float]
    dtype: str
    least: float
    most: float
    what: str


def _loss(text: str) -> float:
    return float(text) if text.strip() else math.nan


_COUNT: Final = ColumnKind(int, "i8", 1, MOST, "a whole number from 1")
_FROM_0: Final = ColumnKind(int, "i8", 0, MOST, "a whole number from 0")
_KINDS: Final = {
    "generation": _COUNT,
    "batch": _FROM_0,
    "update": _COUNT,
    "epoch": _COUNT,
    "samples": _FROM_0,
    "seconds": ColumnKind(float, "f8", 0.0, _MOST_SECONDS, "a number from 0"),
    "batch_size": _COUNT,
    "accumulation_steps": _COUNT,
    "lr": ColumnKind(float, "f8", 0.0, 1e300, "a number from 0"),
    "loss": ColumnKind(_loss, "f8", -math.inf, math.inf, "a number"),
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
    ignored: tuple[str, ...]
    """Names of unknown columns."""

    def error(self, row: int, text: str) -> ImportFormatError:
        """An error for this row, with its line number."""
        return ImportFormatError(f"{self.source}:{self.lines[row]}: {text}")


def read_rows(lines: Iterable[str], source: str) -> ParsedRows:
    """All rows of a CSV whose first line names the columns. Raises ImportFormatError."""
    reader = csv.reader(lines)
    table = _Table(source, _header(reader, source))
    while True:
        before = reader.line_num
        try:
            records = list(islice(reader, _BLOCK_ROWS))
        except csv.Error as error:
            raise ImportFormatError(f"{source}:{reader.line_num}: {error}") from None
        if not records:
            return table.rows()
        table.add(records, _line_numbers(records, before, reader.line_num))


def _header(reader: Any, source: str) -> list[str]:
    names = [name.strip().lower() for name in next(reader, [])]
    if missing := [name for name in NEEDED if name not in names]:
        raise ImportFormatError(
            f"{source}:1: no column {', '.join(missing)}: the first line must name the columns, "
            f"including {', '.join(NEEDED)}"
        )
    if twice := next((name for name in COLUMNS if names.count(name) > 1), None):
        raise ImportFormatError(f"{source}:1: two columns {twice}")
    return names


def _line_numbers(records: list[list[str]], before: int, after: int) -> NDArray[np.int64]:
    """The line on which each record begins."""
    if after - before == len(records):
        return np.arange(before + 1, after + 1)
    heights = [1 + sum(field.count("\n") for field in record) for record in records]
    starts: NDArray[np.int64] = before + 1 + np.r_[0, np.cumsum(heights[:-1], dtype=np.int64)]
    return starts


class _Table:
    """The columns read so far."""

    def __init__(self, source: str, header: list[str]) -> None:
        self._source = source
        self._width = len(header)
        self._places = {name: header.index(name) for name in COLUMNS if name in header}
        self._ignored = tuple(name for name in header if name not in COLUMNS)
        self._names: dict[str, int] = {}
        self._blocks: dict[str, list[NDArray[Any]]] = {name: [] for name in (*self._places, "line")}

    def rows(self) -> ParsedRows:
        columns = {name: np.concatenate(parts) for name, parts in self._blocks.items() if parts}
        if not columns:
            raise ImportFormatError(f"{self._source}: no rows")
        lines, variant = columns.pop("line"), columns.pop("variant")
        return ParsedRows(self._source, tuple(self._names), variant, columns, lines, self._ignored)

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
        return np.empty(0), next(row for row, text in enumerate(texts) if not _is_good(text, kind))
    if math.isinf(kind.most):
        return values, None
    bad = ~((values >= kind.least) & (values <= kind.most))  # so NaN is bad
    return values, int(bad.argmax()) if bad.any() else None


def _is_good(text: str, kind: ColumnKind) -> bool:
    try:
        value = kind.parse(text)
    except ValueError:
        return False
    return math.isinf(kind.most) or kind.least <= value <= kind.most


def _complaint(column: str, text: str) -> str:
    shown = repr(text if len(text) <= 40 else text[:39] + "…")
    if column != "variant":
        return f"{column} {shown} is not {_KINDS[column].what}"
    if text and text.isprintable():
        return f"variant {shown} is one too many: at most {_MOST_VARIANTS:,}"
    return f"variant {shown}: must be a name of printable characters"
