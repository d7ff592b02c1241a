"""Reads a text file's rows as text alone, by pyarrow; says what of its form is broken, and where.

pandas would take words such as NA for missing values, fill up rows that are too short and lose
digits of long numbers before anything can be asked. Columns of which a sample is plain numbers are
tried as such at once, which takes as long as pandas.read_csv: `tests/benchmarks/tables.py`.
"""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import islice, zip_longest
from typing import IO, Any, Final

from engine.problems.tabular.location import FileLocation
from engine.problems.tabular.reading.dialect import (
    SPACE,
    UNIT,
    judge,
    rows_of,
    separator_named,
    shown_separator,
    spaced,
)
from engine.problems.tabular.reading.encoding import UTF8, encoding_of, undecodable
from engine.problems.tabular.reading.numerals import EXACT
from engine.settings import DataSettings

_PLAIN: Final = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SAMPLE: Final = 1 << 18
"""Characters by which separators are judged."""
_BLOCK: Final = 1 << 23
"""Bytes that pyarrow parses at once; a row must fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The form of a text file."""

    encoding: str
    separator: str
    has_header: bool

    @property
    def described(self) -> str:
        """The form in words, as far as it is not the usual one."""
        parts = []
        if self.encoding != UTF8:
            parts.append(self.encoding)
        if self.separator != ",":
            parts.append(f"separator {shown_separator(self.separator)}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRows:
    """The rows of a text file: columns of text, with nothing where a field is empty."""

    names: tuple[str, ...]
    columns: tuple[Any, ...]
    """pyarrow's arrays of strings, or of float64 where all are plain numbers."""
    texts: Callable[[], tuple[Any, ...]]
    """Reads all columns as strings."""
    unnamed: frozenset[str]
    """Names that were made up, for columns without one."""
    dialect: Dialect
    location: FileLocation


def read_text_rows(location: FileLocation, data: DataSettings) -> TextRows:
    """The file's rows. DataFileError for text in no encoding, or rows of different lengths."""
    encoding = encoding_of(location, data.encoding)
    with _decoding(location, encoding) as file:
        try:
            sample = file.read(_SAMPLE)
        except (UnicodeDecodeError, UnicodeError):
            raise undecodable(location, encoding) from None
    if len(sample) == _SAMPLE:  # its last row is cut
        sample = sample[: sample.rfind("\n") + 1] or sample
    separator = (
        judge(sample, location) if data.separator is None else separator_named(data.separator)
    )
    dialect = Dialect(encoding=encoding, separator=separator, has_header=not data.no_header)
    file_rows = _Rows(location, dialect)
    names = file_rows.names()
    first = int(dialect.has_header)
    words = {*data.as_text, *data.as_classes, *(names if data.decimal == "," else ())}
    numbers = [
        str(place)
        for place in _plain_numbers(rows_of(sample, separator)[first:], len(names))
        if names[place] not in words
    ]
    table = _numbers_first(file_rows, numbers)
    return TextRows(
        names=names,
        columns=tuple(table.columns),
        texts=lambda: tuple(_parsed(file_rows, ()).columns),
        unnamed=frozenset(file_rows.unnamed),
        dialect=dialect,
        location=FileLocation(
            path=location.path, unit="line", line_of=lambda row: file_rows.line(row + first)
        ),
    )


def _decoding(location: FileLocation, encoding: str) -> IO[str]:
    return location.path.open(encoding=encoding, newline="")


def _plain_numbers(rows: list[list[str]], width: int) -> list[int]:
    """The places of columns that hold plain numbers, or nothing, as far as the sample goes."""
    columns = zip_longest(*(row for row in rows if len(row) == width), fillvalue="")
    return [
        place
        for place, column in enumerate(columns)
        if any(column) and all(not each or _PLAIN.fullmatch(each) for each in column)
    ]


def _numbers_first(rows: "_Rows", numbers: Sequence[str]) -> Any:
    """The table with those columns as float64; all as texts where one of them is no such column."""
    compute = import_module("pyarrow.compute")
    try:
        table = _parsed(rows, numbers)
    except _NotNumbersError:
        return _parsed(rows, ())
    for name in numbers:
        least, most = compute.min_max(table[name]).as_py().values()
        is_plain = least is not None and max(-least, most) < EXACT
        if not is_plain or not math.isfinite(compute.sum(table[name]).as_py()):
            return _parsed(rows, ())
    return table


class _NotNumbersError(Exception):
    """A column has other values than plain numbers."""


def _parsed(rows: "_Rows", numbers: Sequence[str]) -> Any:
    """All rows as a table, those columns as float64 and the others as text."""
    location, dialect = rows.location, rows.dialect
    arrow, arrow_csv = import_module("pyarrow"), import_module("pyarrow.csv")
    broken: list[Any] = []

    def keep(row: Any) -> str:
        broken.append(row)
        return "skip"

    source, encoding = rows.source()
    width = rows.width
    names = [str(place) for place in range(width)]
    try:
        table = arrow_csv.read_csv(
            source,
            read_options=arrow_csv.ReadOptions(
                column_names=names,
                encoding=encoding,
                block_size=_BLOCK,
                skip_rows=rows.header_lines,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=rows.delimiter,
                newlines_in_values=rows.may_be_quoted,
                invalid_row_handler=keep,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={
                    **dict.fromkeys(names, arrow.string()),
                    **dict.fromkeys(numbers, arrow.float64()),
                },
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except (UnicodeDecodeError, UnicodeError):
        raise undecodable(location, dialect.encoding) from None
    except arrow.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise undecodable(location, dialect.encoding) from None
        if numbers and "conversion error to double" in str(error):
            raise _NotNumbersError from None
        if "Empty CSV" in str(error):
            return arrow.table({name: arrow.array([], arrow.string()) for name in names})
        raise location.wrong(str(error).splitlines()[0]) from None
    if broken or _ends_in_lines(table):
        rows.check(width)
    return table


def _ends_in_lines(table: Any) -> bool:
    """True where the last row takes several lines: it may be a quote that is never closed."""
    if not table.num_rows:
        return False
    last = table.slice(table.num_rows - 1).to_pylist()[0]
    return any(isinstance(value, str) and "\n" in value for value in last.values())


class _Rows:
    """The rows of the file with the lines at which they begin, as Python's csv module reads them.

    Slower than pyarrow by far: for the first row, and for the place of what is wrong.
    """

    def __init__(self, location: FileLocation, dialect: Dialect) -> None:
        self.location, self.dialect = location, dialect
        is_spaced = dialect.separator == SPACE
        self.delimiter = UNIT if is_spaced else dialect.separator
        self.width = 0
        self.header_lines = 0
        """Lines before the first row of values."""
        self.unnamed: set[str] = set()

    @property
    def may_be_quoted(self) -> bool:
        """True where a field may hold a line break; pyarrow splits files without at any line."""
        if self.dialect.encoding not in (UTF8, "cp1252", "iso8859-1"):
            return True
        with self.location.path.open("rb") as file:
            while block := file.read(_BLOCK):
                if b'"' in block:
                    return True
        return False

    def source(self) -> tuple[Any, str]:
        """A file for pyarrow, and its encoding."""
        encoding = self.dialect.encoding
        if self.dialect.separator == SPACE:
            return io.BytesIO("\n".join(self._lines()).encode()), "utf8"
        return str(self.location.path), "utf8" if encoding == UTF8 else encoding

    def names(self) -> tuple[str, ...]:
        """The columns' names: of the first row, or made up; DataFileError where they name none."""
        begins, first, ends = next(self._numbered(), (1, [], 0))
        self.width = len(first)
        self.header_lines = ends if self.dialect.has_header else begins - 1
        if not self.dialect.has_header:
            return tuple(f"column{place}" for place in range(1, len(first) + 1))
        names = [name.strip() for name in first]
        if not any(names):
            raise self.location.wrong("the first line must name the columns", line=1)
        twice = [name for name, count in Counter(names).items() if count > 1 and name]
        if twice:
            raise self.location.of(f"column {twice[0]!r}").wrong(
                "the name appears twice; if the first line is a row, use --no-header", line=1
            )
        return tuple(name or self._unnamed(place, names) for place, name in enumerate(names, 1))

    def _unnamed(self, place: int, names: list[str]) -> str:
        name = f"column{place}"
        while name in names:
            name += "_"
        self.unnamed.add(name)
        return name

    def line(self, row: int) -> int:
        """The line at which that row begins; both count the first one, rows from 0."""
        found = next(islice(self._numbered(), row, None), None)
        return row + 1 if found is None else found[0]

    def check(self, width: int) -> None:
        """Raise DataFileError for the first row that has not `width` fields or is never closed."""
        is_longer = True
        wrong: tuple[int, int] | None = None
        last = 1
        for line, row, _ in self._numbered():
            last = line
            if len(row) != width and wrong is None:
                wrong = line, len(row)
            is_longer = is_longer and (len(row) > width or line == 1)
        if self._is_open(last):
            raise self.location.wrong("a quote is never closed", line=last)
        if wrong is None:
            return
        line, fields = wrong
        if is_longer and self.dialect.has_header:
            raise self.location.wrong("its rows have more fields than its first line has names")
        counted = "1 field" if fields == 1 else f"{fields} fields"
        raise self.location.wrong(f"{counted}, not {width}", line=line)

    def _is_open(self, line: int) -> bool:
        """The row that begins there, the last one, lacks a closing quote."""
        text = list(islice(self._lines(), line - 1, None))
        try:
            list(csv.reader(text, delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            return "unexpected end of data" in str(error)
        return False

    def _numbered(self) -> Iterator[tuple[int, list[str], int]]:
        """The rows that are not blank, each with the lines at which it begins and ends."""
        reader = csv.reader(self._lines(), delimiter=self.delimiter)
        begins = 1
        try:
            for row in reader:
                if row:
                    yield begins, row, reader.line_num
                begins = reader.line_num + 1
        except csv.Error as error:
            raise self.location.wrong(str(error), line=begins) from None
        except (UnicodeDecodeError, UnicodeError):
            raise undecodable(self.location, self.dialect.encoding) from None

    def _lines(self) -> Iterator[str]:
        with _decoding(self.location, self.dialect.encoding) as file:
            if self.dialect.separator == SPACE:
                yield from (spaced(line.rstrip("\r\n")) for line in file)
            else:
                yield from file
