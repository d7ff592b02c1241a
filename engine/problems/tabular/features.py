"""The columns of a table to predict from, sorted by their kinds; the reasons for those left out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

import numpy as np

from engine.problems.tabular.reading.column import (
    ReadColumn,
    ValueKind,
    Wish,
    as_wished,
    may_hide_thousands,
    read_column,
)
from engine.problems.tabular.reading.parquet import FileColumns
from engine.settings import DataSettings

EMPTY: Final = "empty"
HARDLY_REPEATS: Final = "text that hardly repeats"
COUNTS_ROWS: Final = "no name, and it counts the rows"
_OF_PANDAS: Final = re.compile(r"Unnamed: [0-9]+")
"""The name that pandas gives to a column without one."""
ASKED: Final = "--leave-out"


@dataclass(slots=True)
class Features:
    """The columns to predict from, while they are being read."""

    numbers: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def read_wished(
    columns: FileColumns, name: str, data: DataSettings, *, is_target: bool
) -> ReadColumn:
    """The column of that name, read as the options want it."""
    column = columns.by_name[name]
    kind = None
    if name in data.as_number:
        kind = ValueKind.NUMBER
    elif name in (*data.as_text, *data.as_classes):
        kind = ValueKind.TEXT
    if not isinstance(column, ReadColumn):
        wish = Wish(kind=kind, decimal=data.decimal, is_target=is_target)
        column = read_column(column, columns.location.of(f"column {name!r}"), wish)
    return column if kind is None else as_wished(column, kind)


def read_features(columns: FileColumns, target: str, data: DataSettings) -> Features:
    """The columns of numbers, those of texts, and those that are of no use."""
    found = Features()
    read: dict[str, ReadColumn] = {}
    for place, name in enumerate(columns.by_name):
        if name == target:
            continue
        if name in data.leave_out:
            found.left_out[name] = ASKED
            continue
        column = read_wished(columns, name, data, is_target=False)
        if place == 0 and _counts_rows(column):
            if name in columns.unnamed or _OF_PANDAS.fullmatch(name):
                found.left_out[name] = COUNTS_ROWS
                continue
            found.remarks.append(f"{name} counts the rows: --leave-out {name} leaves it out")
        read[name] = column
        _sort(found, name, column, is_wanted=name in (*data.as_text, *data.as_classes))
    _ask_for_thousands(columns, read, data)
    return found


def _sort(found: Features, name: str, column: ReadColumn, *, is_wanted: bool) -> None:
    if column.kind is ValueKind.EMPTY:
        found.left_out[name] = EMPTY
    elif column.kind is ValueKind.TEXT:
        missing = np.equal(column.values, np.array(None))
        texts = np.where(missing, "", column.values) if missing.any() else column.values
        different = len({*texts}) if column.different is None else column.different
        if different > max(len(texts) / 2, 20) and not is_wanted:
            found.left_out[name] = HARDLY_REPEATS
            return
        found.texts[name] = import_module("pandas").Series(texts, dtype=object, copy=False)
    else:
        found.numbers[name] = column.values
        if column.kind is ValueKind.TIME:
            found.times.append(name)
        found.remarks += remarks_on(name, column)


def _counts_rows(column: ReadColumn) -> bool:
    """The values are 0, 1, 2 … or 1, 2, 3 … in order."""
    values = column.values
    if column.kind is not ValueKind.NUMBER or not len(values) or values[0] not in (0, 1):
        return False
    return bool(np.array_equal(values, np.arange(len(values)) + values[0]))


def remarks_on(name: str, column: ReadColumn) -> Iterator[str]:
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
    columns: FileColumns, read: Mapping[str, ReadColumn], data: DataSettings
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
