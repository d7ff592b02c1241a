"""Completes rows as read into whole variants: checks that batches follow, fills in the rest.

What is made up is listed in `gdtui import --help`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.export.csv_import.rows import ParsedRows

LR: Final = 0.01
SECONDS: Final = 20.0
"""Seconds that the longest variant takes unless told otherwise."""
EPOCHS: Final = 20
"""Parts of the longest variant, one of which the smoothing takes for an epoch when nobody says."""


@dataclass(frozen=True, slots=True)
class VariantRows:
    """All columns of one variant's batches, as export writes them."""

    name: str
    generation: Ints
    batch: Ints
    update: Ints
    epoch: Ints
    samples: Ints
    seconds: Floats
    batch_size: Ints
    accumulation_steps: Ints
    lr: Floats
    loss: NDArray[np.float32]

    def generations(self) -> Iterator[slice]:
        """The rows of each."""
        starts = _starts(self.generation).tolist()
        yield from map(slice, starts, [*starts[1:], len(self.batch)])


def complete_rows(rows: ParsedRows) -> tuple[list[VariantRows], int]:
    """The variants, whole, and the samples in an epoch.

    ImportFormatError names the line that is wrong.
    """
    order = np.argsort(rows.variant, kind="stable")
    bounds = np.searchsorted(rows.variant[order], np.arange(len(rows.names) + 1)).tolist()
    parts = [
        _Part(rows, name, order[start:stop])
        for name, start, stop in zip(rows.names, bounds[:-1], bounds[1:], strict=True)
    ]
    longest = max(part.total for part in parts)
    variants = [part.whole(SECONDS / longest) for part in parts]
    if "epoch" in rows.columns:
        return variants, max(map(_largest_epoch, variants))
    most = max(int(variant.batch_size.max()) for variant in variants)
    return variants, max(-(-longest // EPOCHS), most + 1)


def _starts(*keys: NDArray[Any]) -> Ints:
    """The rows at which any of the keys is another one than before."""
    return np.flatnonzero(np.r_[True, np.any([key[1:] != key[:-1] for key in keys], axis=0)])


def _spread(values: NDArray[Any], starts: Ints, count: int) -> NDArray[Any]:
    """A value a stretch of rows, repeated for each row."""
    return np.repeat(values, np.diff(np.r_[starts, count]))


def _largest_epoch(variant: VariantRows) -> int:
    starts = _starts(variant.generation, variant.epoch)
    return int(np.add.reduceat(variant.batch_size, starts).max())


class _Part:
    """The rows of one variant, while they are being completed."""

    def __init__(self, rows: ParsedRows, name: str, index: Ints) -> None:
        self._rows, self._name, self._index = rows, name, index
        self._count = len(index)
        self._columns = {column: values[index] for column, values in rows.columns.items()}
        self._generation = self._column("generation", lambda: np.ones(self._count, np.int64))
        self._starts = _starts(self._generation)
        self._batch = self._checked_batches()
        self._epoch = self._column("epoch", lambda: np.ones(self._count, np.int64))
        self._size = self._column("batch_size", self._sizes)
        self._samples = self._column("samples", self._samples_before)
        self._check("samples", self._samples, self._samples + self._size)
        self._check("epoch", self._epoch)

    @property
    def total(self) -> int:
        """Samples in the longest generation."""
        return int((self._samples + self._size).max())

    def whole(self, seconds_a_sample: float) -> VariantRows:
        """All columns."""
        steps = self._column("accumulation_steps", self._steps)
        update = self._column("update", lambda: self._updates(steps))
        self._check("update", update)
        seconds = self._column("seconds", lambda: self._samples * seconds_a_sample)
        self._check("seconds", seconds)
        with np.errstate(over="ignore"):
            loss = self._columns["loss"].astype("<f4")
        return VariantRows(
            name=self._name,
            generation=self._generation,
            batch=self._batch,
            update=update,
            epoch=self._epoch,
            samples=self._samples,
            seconds=seconds,
            batch_size=self._size,
            accumulation_steps=steps,
            lr=self._column("lr", lambda: np.full(self._count, LR)),
            loss=loss,
        )

    def _column(self, name: str, make_up: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        values = self._columns.get(name)
        return make_up() if values is None else values

    # --- What must follow -------------------------------------------------------------------------

    def _checked_batches(self) -> Ints:
        """The batches' numbers, from 1; those of others who count from 0 are moved by one."""
        starts = self._starts
        batch: Ints = self._columns["batch"]
        batch = batch + _spread(batch[starts] == 0, starts, self._count)
        bad = np.zeros(self._count, bool)
        bad[1:] = batch[1:] != batch[:-1] + 1
        bad[starts] = batch[starts] != 1
        bad[1:] |= self._generation[1:] < self._generation[:-1]
        if bad.any():
            raise self._out_of_order(int(bad.argmax()))
        return batch

    def _out_of_order(self, row: int) -> Exception:
        batch, generation = self._columns["batch"], self._generation
        if row and generation[row] < generation[row - 1]:
            return self._error(
                row, f"generation {generation[row]} after generation {generation[row - 1]}"
            )
        if row in self._starts:
            return self._error(row, f"its first batch is {batch[row]}; batches count from 1")
        return self._error(row, f"batch {batch[row]} cannot follow batch {batch[row - 1]}")

    def _check(self, name: str, values: NDArray[Any], end: NDArray[Any] | None = None) -> None:
        """Raise where a value lies before the one before it, or before the `end` of that one."""
        after = values if end is None else end
        bad = np.r_[False, values[1:] < after[:-1]]
        bad[self._starts] = False
        if bad.any():
            row = int(bad.argmax())
            what = (
                f"after {values[row - 1]}" if end is None else "overlap those of the batch before"
            )
            raise self._error(row, f"{name} {values[row]} {what}")

    def _error(self, row: int, text: str) -> Exception:
        return self._rows.error(int(self._index[row]), f"variant {self._name!r}: {text}")

    # --- What is filled in ------------------------------------------------------------------------

    def _sizes(self) -> Ints:
        """Sizes of the batches by the next one's samples; the last one equals the one before it."""
        samples = self._columns.get("samples")
        if samples is None:
            return np.ones(self._count, np.int64)
        sizes: Ints = np.maximum(np.r_[np.diff(samples), 1], 1)
        lasts = np.r_[self._starts[1:], self._count] - 1
        has_one_before = ~np.isin(lasts, self._starts)
        sizes[lasts] = np.where(has_one_before, sizes[lasts - 1], 1)
        return sizes

    def _samples_before(self) -> Ints:
        done = np.cumsum(self._size) - self._size
        samples: Ints = done - _spread(done[self._starts], self._starts, self._count)
        return samples

    def _steps(self) -> Ints:
        """The most batches of one update."""
        update = self._columns.get("update")
        if update is None:
            return np.ones(self._count, np.int64)
        groups = np.diff(np.r_[_starts(self._generation, update), self._count])
        return np.full(self._count, groups.max(), np.int64)

    def _updates(self, steps: Ints) -> Ints:
        """`steps` batches each, none over the end of an epoch or a change of `steps`."""
        starts = _starts(self._generation, self._epoch, steps)
        index = np.arange(self._count)
        place = index - _spread(starts, starts, self._count)
        begun = np.cumsum(place % steps == 0)
        updates: Ints = begun - _spread(begun[self._starts], self._starts, self._count) + 1
        return updates
