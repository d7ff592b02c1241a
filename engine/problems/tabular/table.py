"""Reads CSV and Parquet files with pandas into checked columns, and says where they are broken.

Does not import torch. Needs the extra `data`.
"""

import csv
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.problems.parts.extras import needs_extra
from engine.problems.tabular.location import DataFileError, FileLocation, check_readable
from engine.problems.tabular.memory import as_text, check_fits
from engine.settings import SettingsError

Frame = Any
"""pandas.DataFrame; pandas ships no types."""
Column = Any

_PARQUET: Final = (".parquet", ".pq")
_MOSTLY: Final = 0.8
"""A column with at least this share of numbers is numeric, and its other values are mistakes."""
_MOST_LISTED: Final = 12
_TOO_LONG: Final = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
_NEVER_CLOSED: Final = re.compile(r"EOF inside string starting at row (\d+)")
"""pandas counts rows from the header, which is row 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The content of a table, with the target separated from the other columns."""

    numbers: Frame
    """Columns of float64; a missing value is NaN."""
    texts: Frame
    """Columns of str; a missing value is ""."""
    left_out: tuple[str, ...]
    """Columns of no use for prediction: empty ones, and text that hardly repeats."""
    target: NDArray[Any]
    location: FileLocation
    """Location of the target."""


def read_table(path: Path, target: str | None) -> Table:
    """The table in this file, whose suffix gives the format.

    SettingsError says what cannot be used, and where it is.
    """
    check_readable(path)
    with needs_extra(f"reading {path.name}"):
        pandas = import_module("pandas")
        import_module("sklearn")
        if path.suffix.lower() in _PARQUET:
            import_module("pyarrow")
    is_parquet = path.suffix.lower() in _PARQUET
    location = (
        FileLocation(path=path) if is_parquet else FileLocation(path=path, unit="line", first=2)
    )
    frame = _read_parquet(pandas, location) if is_parquet else _read_csv(pandas, location)
    name = _target_name(frame, target, location)
    if not len(frame):
        raise location.wrong("holds no rows")
    wanted = frame.pop(name)
    numbers, texts, left_out = _sorted_out(pandas, frame, location)
    if not numbers and not texts:
        raise location.wrong(f"no column to predict {name!r} from")
    return Table(
        numbers=pandas.DataFrame(numbers, index=frame.index),
        texts=pandas.DataFrame(texts, index=frame.index),
        left_out=tuple(left_out),
        target=_target_values(pandas, wanted, location.of(f"column {name!r}")),
        location=location.of(f"column {name!r}"),
    )


# --- Files --------------------------------------------------------------------------------------


def _read_csv(pandas: Any, location: FileLocation) -> Frame:
    separator = _check_header(location)
    size = location.path.stat().st_size
    check_fits(location, size, f"a table of {as_text(size)} of text")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        try:
            # Empty lines are kept until line numbers are no longer needed.
            frame = pandas.read_csv(
                location.path,
                sep=separator,
                encoding="utf-8-sig",
                index_col=False,
                skip_blank_lines=False,
            )
        except UnicodeDecodeError:
            raise _not_utf8(location) from None
        except pandas.errors.ParserWarning:
            raise location.wrong(
                "its rows have more fields than its first line has names"
            ) from None
        except pandas.errors.ParserError as error:
            if found := _TOO_LONG.search(str(error)):
                expected, line, seen = found.groups()
                raise location.wrong(
                    f"{seen} fields, not {expected}", sample=int(line) - location.first
                ) from None
            if found := _NEVER_CLOSED.search(str(error)):
                raise location.wrong("a quote is never closed", sample=int(found[1]) - 1) from None
            raise location.wrong(str(error)) from None
    return frame.dropna(how="all")


def _check_header(location: FileLocation) -> str:
    """The separator; SettingsError if the first line does not give each column a unique name."""
    with location.path.open(encoding="utf-8-sig", newline="") as file:
        try:
            line = file.readline(1 << 20)
        except UnicodeDecodeError:
            raise _not_utf8(location) from None
    separator = max(",;\t", key=line.count)
    names = next(csv.reader([line], delimiter=separator), [])
    if not any(name.strip() for name in names):
        raise location.wrong("the first line must name the columns", sample=1 - location.first)
    twice = [name for name, count in Counter(names).items() if count > 1 and name.strip()]
    if twice:
        raise location.of(f"column {twice[0]!r}").wrong(
            "the name appears twice", sample=1 - location.first
        )
    return separator


def _not_utf8(location: FileLocation) -> SettingsError:
    """The error for the first line that is not UTF-8; pandas only reports bytes in a chunk."""
    with location.path.open("rb") as file:
        for number, line in enumerate(file):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return location.wrong("not UTF-8 text", sample=number + 1 - location.first)
    return location.wrong("not UTF-8 text")


def _read_parquet(pandas: Any, location: FileLocation) -> Frame:
    arrow = import_module("pyarrow")
    try:
        about = import_module("pyarrow.parquet").read_metadata(location.path)
        cells = about.num_rows * about.num_columns
        check_fits(location, 8 * cells, f"{about.num_rows:,} rows of {about.num_columns:,} columns")
        frame = pandas.read_parquet(location.path, engine="pyarrow")
    except DataFileError:
        raise
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise location.wrong(
            f"not a Parquet file that pyarrow can read ({str(error).splitlines()[0]})"
        ) from None
    frame.columns = [str(name) for name in frame.columns]
    return frame.reset_index(drop=True)


# --- Columns ------------------------------------------------------------------------------------


def _target_name(frame: Frame, target: str | None, location: FileLocation) -> str:
    names = [str(name) for name in frame.columns]
    if target in names:
        return target
    listed = ", ".join(map(repr, names[:_MOST_LISTED])) + (
        ", …" if len(names) > _MOST_LISTED else ""
    )
    if target is None:
        raise location.wrong(f"choose the column to predict: --target with one of {listed}")
    close = get_close_matches(target, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose one of {listed}"
    raise location.wrong(f"no column {target!r}; {hint}")


def _target_values(pandas: Any, column: Column, location: FileLocation) -> NDArray[Any]:
    missing = column.isna()
    if missing.any():
        count = int(missing.sum())
        more = f" (and in {count - 1:,} more)" if count > 1 else ""
        raise location.wrong(f"no value{more}: every row needs a target", sample=_first(missing))
    kind = pandas.api.types
    if kind.is_datetime64_any_dtype(column) or kind.is_timedelta64_dtype(column):
        raise location.wrong("dates cannot be a target; use numbers or classes")
    numbers = _as_numbers(pandas, column, location)
    if numbers is None:
        return np.asarray(column.astype(str), dtype=np.str_)
    return np.asarray(numbers.to_numpy())


def _sorted_out(
    pandas: Any, frame: Frame, location: FileLocation
) -> tuple[dict[str, Column], dict[str, Column], list[str]]:
    """The numeric columns, the text columns, and the names of the columns that are of no use."""
    numbers, texts, left_out = {}, {}, []
    for name in frame.columns:
        column, where = frame[name], location.of(f"column {name!r}")
        if column.isna().all():
            left_out.append(name)
        elif (as_numbers := _as_numbers(pandas, column, where)) is not None:
            numbers[name] = as_numbers
        elif (as_texts := _as_texts(column, where)).nunique() > max(len(column) / 2, 20):
            left_out.append(name)
        else:
            texts[name] = as_texts
    return numbers, texts, left_out


def _as_numbers(pandas: Any, column: Column, location: FileLocation) -> Column | None:
    """The column as float64, or None for a text column; SettingsError if it is neither."""
    kind = pandas.api.types
    if kind.is_datetime64_any_dtype(column):
        utc = pandas.to_datetime(column, utc=True)
        return (utc - pandas.Timestamp(0, tz="UTC")).dt.total_seconds()
    if kind.is_timedelta64_dtype(column):
        return column.dt.total_seconds()
    if kind.is_bool_dtype(column):
        return column.astype("float64")
    numbers = (
        pandas.to_numeric(column.astype(str), errors="coerce") if _is_text(kind, column) else column
    )
    if not kind.is_numeric_dtype(numbers) or kind.is_complex_dtype(numbers):
        raise location.wrong(f"must hold numbers or text, not {column.dtype}")
    numbers = numbers.astype("float64")
    given, understood = column.notna(), numbers.notna()
    if not (given == understood).all():
        wrong = given & ~understood
        if understood.sum() < _MOSTLY * given.sum():
            return None
        sample = _first(wrong)
        raise location.wrong(
            f"{column[sample]!r} is not a number, unlike the others", sample=sample
        )
    if np.isinf(numbers).any():
        raise location.wrong("an infinite number", sample=_first(np.isinf(numbers)))
    return numbers


def _is_text(kind: Any, column: Column) -> bool:
    return bool(
        kind.is_object_dtype(column)
        or kind.is_string_dtype(column)
        or isinstance(column.dtype, kind.CategoricalDtype)
    )


def _as_texts(column: Column, location: FileLocation) -> Column:
    """The column as str, with "" for missing values; SettingsError for lists and the like."""
    nested = column.map(lambda value: isinstance(value, dict | list | tuple | np.ndarray)).astype(
        bool
    )
    if nested.any():
        raise location.wrong("must hold numbers or text, not lists", sample=_first(nested))
    return column.astype(object).where(column.notna(), "").astype(str)


def _first(is_so: Column) -> int:
    """The index, from 0, of the first row for which it is true; empty lines in the file count."""
    return int(is_so.idxmax())
