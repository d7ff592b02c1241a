"""Completes parsed rows to whole variants: checks the order of batches, fills in missing columns.

`gdtui import --help` lists the values that are filled in.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.export.csv_import.rows import ParsedRows

LR: Final = 0.01
SECONDS: Final = 20.0
"""Seconds that the longest variant takes if the file has no column `seconds`."""
EPOCHS: Final = 20
"""If the file has no epochs, smoothing takes the longest variant divided by this as an epoch."""


@dataclass(frozen=True, slots=True)
class VariantRows:
    """All columns of a variant's batches, as export writes them."""

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
        """The rows of each generation."""
        starts = _starts(self.generation).tolist()
        yield from map(slice, starts, [*starts[1:], len(self.batch)])


def made_up(columns: Collection[str]) -> tuple[str, ...]:
    """The figures that none of these columns tells or implies."""
    given = {*columns}
    told = {
        "epoch": {"epoch"},
        "samples": {"samples", "batch_size"},
        "batch_size": {"batch_size", "samples"},
        "update": {"update", "accumulation_steps"},
        "accumulation_steps": {"accumulation_steps", "update"},
        "lr": {"lr"},
        "seconds": {"seconds"},
    }
    return tuple(figure for figure, by in told.items() if not by & given)


def complete_rows(rows: ParsedRows) -> tuple[list[VariantRows], int]:
    """The completed variants, and the number of samples in an epoch.

    Raises ImportFormatError, which names the wrong line.
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
    """The rows at which any of the keys changes."""
    return np.flatnonzero(np.r_[True, np.any([key[1:] != key[:-1] for key in keys], axis=0)])


def _spread(values: NDArray[Any], starts: Ints, count: int) -> NDArray[Any]:
    """The values of stretches of rows, repeated for each row."""
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
        """All columns, including those that are filled in."""
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

    # --- Checks -----------------------------------------------------------------------------------

    def _checked_batches(self) -> Ints:
        """The numbers of the batches, from 1; numbers that count from 0 are shifted by 1."""
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
        """Raise if a value lies below the previous value, or below the `end` of that batch."""
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

    # --- Filled-in values -------------------------------------------------------------------------

    def _sizes(self) -> Ints:
        """Batch sizes, from the samples before the next batch; the last repeats the one before."""
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
        """The largest number of batches in an update."""
        update = self._columns.get("update")
        if update is None:
            return np.ones(self._count, np.int64)
        groups = np.diff(np.r_[_starts(self._generation, update), self._count])
        return np.full(self._count, groups.max(), np.int64)

    def _updates(self, steps: Ints) -> Ints:
        """Updates of `steps` batches, which end with an epoch or if `steps` changes."""
        starts = _starts(self._generation, self._epoch, steps)
        index = np.arange(self._count)
        place = index - _spread(starts, starts, self._count)
        begun = np.cumsum(place % steps == 0)
        updates: Ints = begun - _spread(begun[self._starts], self._starts, self._count) + 1
        return updates
