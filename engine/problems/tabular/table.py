"""Reads CSV and Parquet as tables and says where they are broken: checked columns out.

Does not import torch. Needs the extra `data`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.problems.parts.extras import needs_extra
from engine.problems.tabular.features import read_features, read_wished, remarks_on
from engine.problems.tabular.location import FileLocation, check_readable
from engine.problems.tabular.memory import as_text, check_fits
from engine.problems.tabular.reading.column import ReadColumn, ValueKind
from engine.problems.tabular.reading.header import check_header
from engine.problems.tabular.reading.parquet import FileColumns, read_parquet
from engine.problems.tabular.reading.text_rows import read_text_rows
from engine.settings import DataSettings, SettingsError

Frame = Any
"""pandas.DataFrame; pandas ships no types."""

_PARQUET: Final = (".parquet", ".pq")
_MOST_LISTED: Final = 12


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
    """Guesses, in a sentence each."""


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
    wanted = read_wished(columns, name, data, is_target=True)
    kept, unit = _rows_kept(columns, wanted, location.of(f"column {name!r}"), data)
    features = read_features(columns, name, data)
    if not features.numbers and not features.texts:
        raise location.wrong(f"no column to predict {name!r} from")
    features.remarks += remarks_on(name, wanted)
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


def _columns(path: Path, data: DataSettings) -> FileColumns:
    if path.suffix.lower() in _PARQUET:
        return read_parquet(FileLocation(path=path))
    location = FileLocation(path=path, unit="line", first=2)
    size = path.stat().st_size
    check_fits(location, size, f"a table of {as_text(size)} of text")
    rows = read_text_rows(location, data)
    by_name = dict(zip(rows.names, rows.columns, strict=True))
    remarks = check_header(rows) if rows.dialect.has_header else ()
    if count := rows.dialect.skipped:
        lines = "the first line was" if count == 1 else f"the first {count} lines were"
        remarks += (f"{lines} skipped",)
    remarks += tuple(
        f"{name}: zeros before numbers dropped, --as-text {name} keeps them" for name in rows.codes
    )
    return FileColumns(
        by_name=by_name,
        rows=len(rows.columns[0]),
        location=rows.location,
        form=rows.dialect.described,
        texts=lambda: dict(zip(rows.names, rows.texts(), strict=True)),
        unnamed=rows.unnamed,
        remarks=remarks,
    )


# --- Names --------------------------------------------------------------------------------------


def _target_name(columns: FileColumns, data: DataSettings) -> str:
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


def _no_column(name: str, names: list[str], columns: FileColumns) -> str:
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


# --- The target ---------------------------------------------------------------------------------


def _rows_kept(
    columns: FileColumns, target: ReadColumn, location: FileLocation, data: DataSettings
) -> tuple[NDArray[np.bool_], str]:
    """The rows with a target that are not wholly empty; and the unit of the target."""
    if target.kind is ValueKind.TIME:
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
    if target.kind is ValueKind.TEXT:
        return np.asarray(values, dtype=np.str_)
    return values.astype(np.int64) if values.dtype == object else values
