"""Reads CSV and Parquet as tables and says where they are broken: checked columns out.

Does not import torch. Needs the extra `data`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.problems.parts.extras import needs_extra
from engine.problems.tabular.location import FileLocation, check_readable
from engine.problems.tabular.memory import as_text, check_fits
from engine.problems.tabular.parquet import Columns, read_parquet
from engine.problems.tabular.reading.column import (
    ColumnKind,
    ReadColumn,
    Wish,
    as_wished,
    may_hide_thousands,
    read_column,
)
from engine.problems.tabular.reading.header import check_header
from engine.problems.tabular.reading.text_rows import read_text_rows
from engine.settings import DataSettings, SettingsError

Frame = Any
"""pandas.DataFrame; pandas ships no types."""

_PARQUET: Final = (".parquet", ".pq")
_MOST_LISTED: Final = 12
EMPTY, HARDLY_REPEATS = "empty", "text that hardly repeats"
COUNTS_ROWS, ASKED = "no name, and it counts the rows", "--leave-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The content of a table, with the target separated from the other columns."""

    numbers: Frame
    """Columns of float64, NaN where there is no value; Int64 where float64 would lose digits."""
    texts: Frame
    """Columns of str; a missing value is ""."""
    times: tuple[str, ...]
    """Columns of `numbers` that are dates, durations or times of day, in seconds."""
    left_out: Mapping[str, str]
    """The reasons, by column."""
    target: NDArray[Any]
    target_name: str
    target_unit: str
    location: FileLocation
    """Location of the target."""
    rows_left_out: int
    form: str
    remarks: tuple[str, ...]
    """What was guessed, in a sentence each."""


@dataclass(slots=True)
class _Features:
    """The columns to predict from, while they are being read."""

    numbers: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def read_table(data: DataSettings) -> Table:
    """The table in this file, whose suffix gives the format.

    SettingsError says what of it cannot be used, where, and which option helps.
    """
    path = Path(data.path)
    check_readable(path)
    with needs_extra(f"reading {path.name}"):
        import_module("pandas")
        import_module("sklearn")
        import_module("pyarrow")
    columns = _columns(path, data)
    location = columns.location
    name = _target_name(columns, data)
    _check_named(columns.by_name, data, location)
    if not columns.rows:
        raise location.of_file().wrong("holds no rows")
    wanted = _read(columns, name, data, is_target=True)
    kept, unit = _rows_kept(columns, wanted, location.of(f"column {name!r}"), data)
    features = _features(columns, name, data)
    if not features.numbers and not features.texts:
        raise location.wrong(f"no column to predict {name!r} from")
    features.remarks += _markers(name, wanted)
    return Table(
        numbers=_frame(features.numbers, kept),
        texts=_frame(features.texts, kept),
        times=tuple(features.times),
        left_out=features.left_out,
        target=_target_values(wanted, kept),
        target_name=name,
        target_unit=unit,
        location=location.of(f"column {name!r}"),
        rows_left_out=int((~kept).sum()),
        form=columns.form,
        remarks=(*columns.remarks, *features.remarks),
    )


def _frame(columns: Mapping[str, Any], kept: NDArray[np.bool_]) -> Frame:
    frame = import_module("pandas").DataFrame(columns, index=range(len(kept)), copy=False)
    return frame if kept.all() else frame[kept]


def _columns(path: Path, data: DataSettings) -> Columns:
    if path.suffix.lower() in _PARQUET:
        return read_parquet(FileLocation(path=path))
    location = FileLocation(path=path, unit="line", first=2)
    size = path.stat().st_size
    check_fits(location, size, f"a table of {as_text(size)} of text")
    rows = read_text_rows(location, data)
    by_name = dict(zip(rows.names, rows.columns, strict=True))
    remarks = check_header(rows) if rows.dialect.has_header else ()
    return Columns(
        by_name=by_name,
        rows=len(rows.columns[0]),
        location=rows.location,
        form=rows.dialect.described,
        texts=lambda: dict(zip(rows.names, rows.texts(), strict=True)),
        unnamed=rows.unnamed,
        remarks=remarks,
    )


# --- Names --------------------------------------------------------------------------------------


def _target_name(columns: Columns, data: DataSettings) -> str:
    names, target = list(columns.by_name), data.target
    if target in names:
        return target
    if data.no_header and target is not None and f"column{target}" in names:
        return f"column{target}"
    if target is None:
        raise columns.location.wrong(
            f"choose the column to predict: --target with one of {_listed(names)}"
        )
    raise columns.location.wrong(_no_column(target, names, columns))


def _no_column(name: str, names: list[str], columns: Columns) -> str:
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose one of {_listed(names)}"
    if len(names) == 1 and not close:
        hint = f"{hint}, or choose what separates the columns with --separator"
    elif columns.remarks:
        hint = f"{hint}; {columns.remarks[0]}"
    return f"no column {name!r}; {hint}"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = ", …" if len(names) > _MOST_LISTED else ""
    return ", ".join(map(repr, names[:_MOST_LISTED])) + more


def _check_named(names: Mapping[str, Any], data: DataSettings, location: FileLocation) -> None:
    """Each column of the options exists, and is wanted as one thing only."""
    options = ("leave_out", "as_number", "as_text", "as_classes")
    seen: dict[str, str] = {}
    for option in options:
        typed = f"--{option.replace('_', '-')}"
        for name in getattr(data, option):
            if name not in names:
                close = get_close_matches(name, names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"choose of {_listed(names)}"
                raise location.of_file().wrong(f"{typed}: no column {name!r}; {hint}")
            if name in seen and seen[name] != typed:
                raise SettingsError(f"{seen[name]} and {typed} exclude each other: column {name!r}")
            seen[name] = typed
    if data.target in data.leave_out:
        raise SettingsError(f"--leave-out {data.target}: it is the column to predict")


# --- Columns ------------------------------------------------------------------------------------


def _read(columns: Columns, name: str, data: DataSettings, *, is_target: bool) -> ReadColumn:
    column = columns.by_name[name]
    kind = None
    if name in data.as_number:
        kind = ColumnKind.NUMBER
    elif name in (*data.as_text, *data.as_classes):
        kind = ColumnKind.TEXT
    if not isinstance(column, ReadColumn):
        wish = Wish(kind=kind, decimal=data.decimal, is_target=is_target)
        column = read_column(column, columns.location.of(f"column {name!r}"), wish)
    return column if kind is None else as_wished(column, kind)


def _features(columns: Columns, target: str, data: DataSettings) -> _Features:
    """The columns of numbers, those of texts, and those that are of no use."""
    found = _Features()
    read: dict[str, ReadColumn] = {}
    for place, name in enumerate(columns.by_name):
        if name == target:
            continue
        if name in data.leave_out:
            found.left_out[name] = ASKED
            continue
        column = _read(columns, name, data, is_target=False)
        if place == 0 and name in columns.unnamed and _counts_rows(column):
            found.left_out[name] = COUNTS_ROWS
            continue
        read[name] = column
        _sort(found, name, column, is_wanted=name in (*data.as_text, *data.as_classes))
    _ask_for_thousands(columns, read, data)
    return found


def _sort(found: _Features, name: str, column: ReadColumn, *, is_wanted: bool) -> None:
    if column.kind is ColumnKind.EMPTY:
        found.left_out[name] = EMPTY
    elif column.kind is ColumnKind.TEXT:
        texts = import_module("pandas").Series(column.values, dtype=object)
        texts = texts.where(texts.notna(), "").astype(object)
        if texts.nunique() > max(len(texts) / 2, 20) and not is_wanted:
            found.left_out[name] = HARDLY_REPEATS
            return
        found.texts[name] = texts
    else:
        found.numbers[name] = column.values
        if column.kind is ColumnKind.TIME:
            found.times.append(name)
        found.remarks += _markers(name, column)


def _counts_rows(column: ReadColumn) -> bool:
    """The values are 0, 1, 2 … or 1, 2, 3 … in order."""
    values = column.values
    if column.kind is not ColumnKind.NUMBER or not len(values) or values[0] not in (0, 1):
        return False
    return bool(np.array_equal(values, np.arange(len(values)) + values[0]))


def _markers(name: str, column: ReadColumn) -> Iterator[str]:
    """A remark on the signs of a column that were read as missing values, or on its notation."""
    if column.markers:
        signs = ", ".join(f"{sign!r} ({count:,})" for sign, count in column.markers.items())
        yield f"{name}: {signs} read as missing"
    notation = ["decimal comma"] if column.has_comma else []
    if column.unit not in ("", "truth value"):
        notation.append(f"unit {column.unit}")
    if notation:
        yield f"{name}: {', '.join(notation)}"


def _ask_for_thousands(
    columns: Columns, read: Mapping[str, ReadColumn], data: DataSettings
) -> None:
    """Ask about points in a file with decimal commas, where they may stand between thousands."""
    if data.decimal is not None or not any(each.has_comma for each in read.values()):
        return
    texts = columns.texts()
    for name, column in read.items():
        if name not in texts or not (unclear := may_hide_thousands(texts[name], column)):
            continue
        sample = import_module("pyarrow.compute").index(texts[name], unclear).as_py()
        raise columns.location.of(f"column {name!r}").wrong(
            f"{unclear!r} is unclear, for other columns have decimal commas: choose with "
            "--decimal . or --decimal ,",
            sample=sample,
        )


# --- The target ---------------------------------------------------------------------------------


def _rows_kept(
    columns: Columns, target: ReadColumn, location: FileLocation, data: DataSettings
) -> tuple[NDArray[np.bool_], str]:
    """The rows with a target that are not wholly empty; and the unit of the target."""
    if target.kind is ColumnKind.TIME:
        raise location.wrong("dates cannot be a target; use numbers or classes")
    pandas = import_module("pandas")
    empty = columns.empty_rows()
    missing = np.asarray(pandas.isna(pandas.Series(target.values))) & ~empty
    if missing.any() and not data.drop_missing_target:
        count = int(missing.sum())
        more = f" (and in {count - 1:,} more)" if count > 1 else ""
        raise location.wrong(
            f"no value{more}: every row needs a target; --drop-missing-target leaves out the rest",
            sample=int(missing.argmax()),
        )
    kept = ~(missing | empty)
    if not kept.any():
        raise location.wrong("holds no value")
    return kept, target.unit


def _target_values(target: ReadColumn, kept: NDArray[np.bool_]) -> NDArray[Any]:
    values = np.asarray(target.values[kept])
    if target.kind is ColumnKind.TEXT:
        return np.asarray(values, dtype=np.str_)
    return values.astype(np.int64) if values.dtype == object else values
