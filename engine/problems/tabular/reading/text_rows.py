"""Reads a text file's rows as text alone, by pyarrow; says what of its form is broken, and where.

pandas would take words such as NA for missing values, fill up rows that are too short and lose
digits of long numbers before anything can be asked. Columns of which a sample is plain numbers are
tried as such at once, which takes as long as pandas.read_csv: `tests/benchmarks/tables.py`.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import zip_longest
from typing import Any, Final

from engine.problems.tabular.location import FileLocation
from engine.problems.tabular.reading.dialect import (
    judge,
    preamble,
    rows_of,
    separator_named,
    without_lines,
)
from engine.problems.tabular.reading.encoding import encoding_of, undecodable
from engine.problems.tabular.reading.numbered_rows import Dialect, NumberedRows, open_text
from engine.problems.tabular.reading.numerals import EXACT
from engine.settings import DataSettings

_PLAIN: Final = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_CODE: Final = re.compile(r"0[0-9]+")
_SAMPLE: Final = 1 << 18
"""Characters by which separators are judged."""
_BLOCK: Final = 1 << 23
"""Bytes that pyarrow parses at once; a row must fit."""


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
    codes: tuple[str, ...]
    """Columns of numbers with zeros before them, as far as a sample goes."""
    dialect: Dialect
    location: FileLocation


def read_text_rows(location: FileLocation, data: DataSettings) -> TextRows:
    """The file's rows. DataFileError for text in no encoding, or rows of different lengths."""
    encoding = encoding_of(location, data.encoding)
    with open_text(location, encoding) as file:
        try:
            sample = file.read(_SAMPLE)
        except (UnicodeDecodeError, UnicodeError):
            raise undecodable(location, encoding) from None
    if len(sample) == _SAMPLE:  # its last row is cut
        sample = sample[: sample.rfind("\n") + 1] or sample
    skipped, separator = preamble(sample)
    sample = without_lines(sample, skipped)
    if data.separator is not None:
        separator = separator_named(data.separator)
    dialect = Dialect(
        encoding=encoding,
        separator=separator or judge(sample, location),
        has_header=not data.no_header,
        skipped=skipped,
    )
    file_rows = NumberedRows(location, dialect)
    names = file_rows.names()
    first = int(dialect.has_header)
    words = {*data.as_text, *data.as_classes, *(names if data.decimal == "," else ())}
    sampled = rows_of(sample, dialect.separator)[first:]
    places = [place for place in _plain_numbers(sampled, len(names)) if names[place] not in words]
    numbers = [str(place) for place in places]
    table = _numbers_first(file_rows, numbers)
    return TextRows(
        names=names,
        columns=tuple(table.columns),
        texts=lambda: tuple(_parsed(file_rows, ()).columns),
        unnamed=frozenset(file_rows.unnamed),
        codes=tuple(names[place] for place in places if _has_zeros(sampled, place)),
        dialect=dialect,
        location=FileLocation(
            path=location.path, unit="line", line_of=lambda row: file_rows.line(row + first)
        ),
    )


def _plain_numbers(rows: list[list[str]], width: int) -> list[int]:
    """The places of columns that hold plain numbers, or nothing, as far as the sample goes."""
    columns = zip_longest(*(row for row in rows if len(row) == width), fillvalue="")
    return [
        place
        for place, column in enumerate(columns)
        if any(column) and all(not each or _PLAIN.fullmatch(each) for each in column)
    ]


def _has_zeros(rows: list[list[str]], place: int) -> bool:
    """True if a number of that column begins with a 0 that a plain number would lack."""
    return any(place < len(row) and _CODE.fullmatch(row[place]) for row in rows)


def _numbers_first(rows: NumberedRows, numbers: Sequence[str]) -> Any:
    """The table with those columns as float64; all as texts where one of them is no such column."""
    try:
        table = _parsed(rows, numbers)
    except _NotNumbersError:
        return _parsed(rows, ())
    table = table.combine_chunks()  # so that numpy takes the numbers without another copy
    if all(_is_exact(table[name]) for name in numbers):
        return table
    return _parsed(rows, ())


def _is_exact(column: Any) -> bool:
    """True for float64 that lost no digit: finite, and below the first whole numbers it lacks."""
    if column.null_count:
        compute = import_module("pyarrow.compute")
        least, most = compute.min_max(column).as_py().values()
        is_plain = least is not None and max(-least, most) < EXACT
        return bool(is_plain and math.isfinite(compute.sum(column).as_py()))
    parts = (chunk.to_numpy() for chunk in column.chunks if len(chunk))
    return all(part.min() > -EXACT and part.max() < EXACT for part in parts)  # not true of NaN


class _NotNumbersError(Exception):
    """A column has other values than plain numbers."""


def _parsed(rows: NumberedRows, numbers: Sequence[str]) -> Any:
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
        table = arrow_csv.read_csv(source, **_options(rows, names, numbers, encoding, keep))
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


def _options(
    rows: NumberedRows,
    names: Sequence[str],
    numbers: Sequence[str],
    encoding: str,
    keep: Callable[[Any], str],
) -> dict[str, Any]:
    """The settings of pyarrow's reader, which is left nothing to guess."""
    arrow, arrow_csv = import_module("pyarrow"), import_module("pyarrow.csv")
    return {
        "read_options": arrow_csv.ReadOptions(
            column_names=names,
            encoding=encoding,
            block_size=_BLOCK,
            skip_rows=rows.header_lines,
        ),
        "parse_options": arrow_csv.ParseOptions(
            delimiter=rows.delimiter,
            newlines_in_values=rows.may_be_quoted,
            invalid_row_handler=keep,
        ),
        "convert_options": arrow_csv.ConvertOptions(
            column_types={
                **dict.fromkeys(names, arrow.string()),
                **dict.fromkeys(numbers, arrow.float64()),
            },
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],
        ),
    }


def _ends_in_lines(table: Any) -> bool:
    """True where the last row takes several lines: it may be a quote that is never closed."""
    if not table.num_rows:
        return False
    last = table.slice(table.num_rows - 1).to_pylist()[0]
    return any(isinstance(value, str) and "\n" in value for value in last.values())
