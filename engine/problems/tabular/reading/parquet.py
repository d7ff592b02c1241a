"""Reads Parquet: columns whose types are known, and columns of texts as a text file has them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.problems.tabular.location import DataFileError, FileLocation
from engine.problems.tabular.memory import check_fits
from engine.problems.tabular.reading.column import ReadColumn, ValueKind
from engine.problems.tabular.reading.numerals import EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class FileColumns:
    """The columns of a file, by name."""

    by_name: Mapping[str, Any]
    """Each a ReadColumn where its type is known, or else pyarrow's array of strings."""
    rows: int
    location: FileLocation
    form: str = ""
    texts: Callable[[], Mapping[str, Any]] = dict
    """Reads the columns of a text file as strings."""
    unnamed: frozenset[str] = frozenset()
    """Names that were made up."""
    remarks: tuple[str, ...] = ()

    def empty_rows(self) -> NDArray[np.bool_]:
        """True at rows in which a text file has nothing but separators."""
        empty = np.ones(self.rows, bool)
        for column in self.by_name.values():
            if isinstance(column, ReadColumn) or column.null_count == 0:
                return np.zeros(self.rows, bool)
            empty &= np.asarray(column.is_null().to_numpy(zero_copy_only=False))
            if not empty.any():
                break
        return empty


def read_parquet(location: FileLocation) -> FileColumns:
    """The file's columns; DataFileError for one that pyarrow cannot read, or types of no use."""
    arrow, pandas = import_module("pyarrow"), import_module("pandas")
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
    frame = frame.reset_index(drop=True)
    names = [str(name) for name in frame.columns]
    by_name = {
        name: _column(pandas, frame.iloc[:, place], location.of(f"column {name!r}"))
        for place, name in enumerate(names)
    }
    return FileColumns(by_name=by_name, rows=len(frame), location=location)


def _column(pandas: Any, column: Any, location: FileLocation) -> Any:
    """A ReadColumn of numbers or times, or pyarrow's array of strings."""
    kind = pandas.api.types
    if column.isna().all():
        return ReadColumn(kind=ValueKind.EMPTY, values=np.full(len(column), np.nan))
    if kind.is_datetime64_any_dtype(column):
        utc = pandas.to_datetime(column, utc=True)
        seconds = (utc - pandas.Timestamp(0, tz="UTC")).dt.total_seconds()
        return ReadColumn(kind=ValueKind.TIME, values=seconds.to_numpy())
    if kind.is_timedelta64_dtype(column):
        return ReadColumn(kind=ValueKind.TIME, values=column.dt.total_seconds().to_numpy())
    if kind.is_object_dtype(column) or kind.is_string_dtype(column) or _is_categorical(column):
        return _strings(column, location)
    if not kind.is_numeric_dtype(column) or kind.is_complex_dtype(column):
        raise location.wrong(f"must hold numbers or text, not {column.dtype}")
    return _numbers(kind, column, location)


def _is_categorical(column: Any) -> bool:
    return isinstance(column.dtype, import_module("pandas").CategoricalDtype)


def _numbers(kind: Any, column: Any, location: FileLocation) -> ReadColumn:
    if kind.is_integer_dtype(column) and column.abs().max() >= EXACT:
        return ReadColumn(kind=ValueKind.NUMBER, values=column.astype("Int64").array)
    is_truth = kind.is_bool_dtype(column)
    values = column.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(values)
    if infinite.any():
        raise location.wrong("an infinite number", sample=int(infinite.argmax()))
    unit = "truth value" if is_truth else ""
    return ReadColumn(kind=ValueKind.NUMBER, values=values, unit=unit)


def _strings(column: Any, location: FileLocation) -> Any:
    """The texts as pyarrow's strings; DataFileError for lists and the like."""
    nested = column.map(lambda value: isinstance(value, dict | list | tuple | np.ndarray))
    nested = nested.fillna(False).astype(bool)
    if nested.any():
        sample = int(nested.to_numpy().argmax())
        raise location.wrong("must hold numbers or text, not lists", sample=sample)
    arrow = import_module("pyarrow")
    texts = column.astype(object).map(str, na_action="ignore")
    strings = arrow.array(texts.to_numpy(), type=arrow.string(), from_pandas=True)
    return arrow.chunked_array([strings])
