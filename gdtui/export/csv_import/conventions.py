"""Rows by the conventions of other programs under ours: steps, epochs, clocks and sparse columns.

A batch is a row, in whatever distance losses were logged; the logged step is kept in `update`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Bools, Floats, Ints
from gdtui.export.csv_import.rows import ParsedRows

_SINCE_1970: Final = 1e8
"""Seconds that no training takes: a clock that counts from 1970, in seconds or milliseconds."""
_MILLISECONDS: Final = 1e11
_MOST_SECONDS: Final = 1e12
_FASTAI: Final = frozenset(("epoch", "valid_loss", "seconds"))
"""Columns of fastai's logs, in which `time` is that of an epoch."""


def in_our_conventions(rows: ParsedRows, *, is_own: bool) -> tuple[ParsedRows, tuple[str, ...]]:
    """The rows as complete_rows takes them, and notes on what was changed.

    Rows of our own files may have no loss, which is a gap; in others they are rows of something
    else, such as an evaluation, and are left out.
    """
    notes: list[str] = []
    # First of all, since rows without a loss may hold the lr of those that follow.
    rows = _filled(rows, notes)
    if not is_own:
        rows = _with_losses(rows, notes)
    columns = dict(rows.columns)
    parts = list(_parts(rows))
    if "seconds" in columns:
        columns["seconds"] = _from_the_start(
            columns["seconds"],
            parts,
            notes,
            is_own=is_own,
            are_durations={*rows.named.ignored, *columns} >= _FASTAI,
        )
        if (columns["seconds"] > _MOST_SECONDS).any():
            row = int(columns["seconds"].argmax())
            raise rows.error(row, f"seconds {columns['seconds'][row]:g} are more than any training")
    if "epoch" in columns:
        columns["epoch"] = _whole_epochs(columns["epoch"], parts, notes)
    _count_rows(columns, parts, notes, len(rows.lines))
    if "update" in columns:
        columns["update"] = _from_one("update", columns["update"], parts, notes)
    for name in columns.keys() - {"loss", "lr", "seconds"}:
        columns[name] = columns[name].astype(np.int64)
    return replace(rows, columns=columns), tuple(dict.fromkeys(notes))


def _filled(rows: ParsedRows, notes: list[str]) -> ParsedRows:
    """The rows with sparse columns filled in, without those that hold no value at all."""
    columns, parts = dict(rows.columns), list(_parts(rows))
    for name, values in rows.columns.items():
        if name == "loss" or values.dtype.kind != "f" or not np.isnan(values).any():
            continue
        if np.isnan(values).all():
            del columns[name]
            notes.append(f"the column for {name} is empty: ignored")
        else:
            columns[name] = _carried_on(values, parts)
    return replace(rows, columns=columns)


def _with_losses(rows: ParsedRows, notes: list[str]) -> ParsedRows:
    kept = rows.has_loss
    if kept.all():
        return rows
    count = int((~kept).sum())
    notes.append(f"{count:,} {'row' if count == 1 else 'rows'} without a loss left out")
    if not kept.any():
        raise rows.error(0, "no row has a loss")
    columns = {name: values[kept] for name, values in rows.columns.items()}
    return replace(
        rows,
        columns=columns,
        variant=rows.variant[kept],
        lines=rows.lines[kept],
        has_loss=rows.has_loss[kept],
    )


def _parts(rows: ParsedRows) -> Iterator[Ints]:
    """The rows of each variant and generation, in order."""
    generation = rows.columns.get("generation", np.ones(len(rows.lines)))
    generation = np.nan_to_num(generation, nan=1)
    for variant in np.unique(rows.variant):
        mine = np.flatnonzero(rows.variant == variant)
        for each in np.unique(generation[mine]):
            yield mine[generation[mine] == each]


def _carried_on(values: Floats, parts: list[Ints]) -> Floats:
    """Values with that of the row before where there is none; at the start, that of the next."""
    filled = values.copy()
    for part in parts:
        mine = values[part]
        known = np.flatnonzero(~np.isnan(mine))
        if not len(known):
            filled[part] = 1
            continue
        last = np.searchsorted(known, np.arange(len(mine)), side="right") - 1
        filled[part] = mine[known[np.maximum(last, 0)]]
    return filled


def _from_the_start(
    seconds: Floats,
    parts: list[Ints],
    notes: list[str],
    *,
    is_own: bool,
    are_durations: bool,
) -> Floats:
    """Seconds from the first row; of durations, one for each row, those before it."""
    found = seconds.copy()
    for part in parts:
        mine = seconds[part]
        if mine.min() > _SINCE_1970:
            scale = 1000 if mine.min() > _MILLISECONDS else 1
            found[part] = (mine - mine[0]) / scale
            notes.append("seconds are counted from the first row")
        elif not is_own and (are_durations or _go_back(mine)):
            found[part] = np.r_[0.0, np.cumsum(mine)[:-1]]
            why = "are those of fastai's epochs" if are_durations else "do not increase"
            notes.append(f"seconds {why}: they were taken for the durations of rows, and added up")
    return found


def _go_back(seconds: Floats) -> bool:
    """True for seconds that cannot be a clock's: they decrease, or stay the same in all rows."""
    is_constant = len(seconds) > 1 and seconds[0] > 0 and bool((seconds == seconds[0]).all())
    return is_constant or bool((np.diff(seconds) < 0).any())


def _whole_epochs(epochs: NDArray[np.generic], parts: list[Ints], notes: list[str]) -> Floats:
    """Epochs from 1; of parts of epochs, the epoch that each row is in."""
    values = np.asarray(epochs, float)
    if (values != np.floor(values)).any():
        notes.append("parts of epochs were rounded up to the epoch that they belong to")
        whole: Floats = np.maximum(np.ceil(values), 1)
        return whole
    return _from_one("epoch", values, parts, notes)


def _from_one(
    name: str, values: NDArray[np.generic], parts: list[Ints], notes: list[str]
) -> Floats:
    """Numbers that count from 0, moved by one; others as they are."""
    found = np.array(values, float)
    for part in parts:
        if len(part) and found[part].min() == 0:
            found[part] += 1
            notes.append(f"{name} counts from 0: moved by one")
    return found


def _count_rows(
    columns: dict[str, NDArray[np.generic]], parts: list[Ints], notes: list[str], count: int
) -> None:
    """Number the batches where the file does not, or where its numbers are those of steps."""
    batch = columns.get("batch")
    if batch is not None and not _are_steps(np.asarray(batch, float), parts):
        return
    if batch is not None:
        columns.setdefault("update", batch)
        notes.append("batch has gaps: it is kept as update, and each row is a batch")
    numbers = np.empty(count, np.int64)
    for part in parts:
        numbers[part] = np.arange(1, len(part) + 1)
    columns["batch"] = numbers


def _are_steps(batch: Floats, parts: list[Ints]) -> bool:
    """True where numbers go up in each part, and not by one from 0 or 1 in all."""
    goes_up: list[Bools] = [np.diff(batch[part]) > 0 for part in parts]
    if not all(each.all() for each in goes_up):
        return False
    return not all(
        len(part) == 0 or (batch[part[0]] in (0, 1) and (np.diff(batch[part]) == 1).all())
        for part in parts
    )
