"""Positions of batches: samples, updates and seconds before each batch, and its settings.

Nothing is stored per batch. Batches with the same settings form a *segment*, which repeats once it
has covered a whole epoch, so that a run without changes is a single segment however long it is.
Seconds are stored as knots, one per chunk; the lr of each update if a schedule changes it. Must
not know losses.

On the updates axis, a batch is at the number of updates before it, plus the completed share of its
group: with accumulation 4, the batches of the third update are at 2, 2.25, 2.5 and 2.75.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Chunk
from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.chart.scene.polyline import Axis
from gdtui.history.settings_segment import ENDLESS, BatchPosition, SettingsSegment, epoch_starts
from gdtui.history.storage.growing_array import GrowingArray
from gdtui.history.storage.update_lrs import UpdateLrs

MAX_KNOTS: Final = 262_144
"""The number (2.2 hours of chunks) at which every other knot is dropped: memory stays bounded, and
the seconds in between are interpolated over two chunks instead of one."""
_TRIES: Final = 3


class Positions:
    """The positions of all batches of a generation, by index from 0."""

    def __init__(self, n: int, max_knots: int = MAX_KNOTS) -> None:
        """`n` is the number of samples in an epoch, `max_knots` the most knots of seconds kept."""
        self._n = n
        self._max_knots = max_knots
        self._segments = GrowingArray("i8", 11)
        self._lrs = GrowingArray("f8")
        self._lr_of_updates = UpdateLrs()
        self._current: SettingsSegment | None = None
        self._size = 0
        self._epoch = 0
        self._epoch_start = 0
        self._end_samples = 0
        self._end_updates = 0.0
        self.revision = 0
        """A version that changes when the seconds of earlier batches change."""
        self._knots = GrowingArray("f8", 2)
        """Index and seconds of each chunk's first batch; the last knot is the end."""
        self._knots.append(np.zeros((1, 2)))

    def __len__(self) -> int:
        return self._size

    @property
    def segments(self) -> int:
        """The number of segments in which the batches are stored."""
        return len(self._segments)

    @property
    def nbytes(self) -> int:
        return sum(x.nbytes for x in (self._segments, self._lrs, self._knots, self._lr_of_updates))

    # --- Growing ----------------------------------------------------------------------------------

    def append(self, chunk: Chunk) -> None:
        """Add a chunk; raises ValueError if it does not follow the last one."""
        if chunk.batch != self._size + 1:
            raise ValueError(f"batch {chunk.batch} cannot follow batch {self._size}")
        if chunk.batches == 0:
            return
        for part in chunk.by_epoch():
            self._continue(part)
            if part.epoch != self._epoch:
                self._epoch, self._epoch_start = part.epoch, part.samples
            self._end_samples = part.end_samples
            if self._current is not None and self._current.repeats_as(chunk):
                break  # the other epochs are as the segment predicts
        if self._current is not None and self._current.lr_start >= 0:
            self._lr_of_updates.keep(chunk, self._current.lr_start, self._current.updates)
        self._size += chunk.batches
        self._epoch, self._end_samples = chunk.last_epoch, chunk.end_samples
        if chunk.epochs > 1:
            self._epoch_start = chunk.end_samples - chunk.epoch_samples
        done = chunk.in_update + chunk.batches
        is_epoch_done = chunk.epochs > 1 or self._end_samples - self._epoch_start >= self._n
        self._end_updates = (
            float(chunk.last_update)
            if is_epoch_done
            else chunk.update - 1 + done / chunk.accumulation_steps
        )
        self._add_knot(chunk)

    def _continue(self, chunk: Chunk) -> None:
        current = self._current
        if current is not None and current.has_settings_of(chunk) and not self._leaves_gap(chunk):
            if current.predicts(chunk):
                return
            if repeating := current.repeated_by(chunk):
                self._current = repeating
                self._segments.values[-1] = repeating.row()
                return
        varies = current is not None and current.differs_in_lr_alone(chunk)
        varies |= isinstance(chunk.lr, bytes)
        self._current = SettingsSegment(
            first=chunk.batch - 1,
            samples=chunk.samples,
            updates=chunk.update - 1,
            in_update=chunk.in_update,
            epoch=chunk.epoch,
            batch_size=chunk.batch_size,
            steps=chunk.accumulation_steps,
            lr=chunk.lrs[0],
            whole=chunk.epoch != self._epoch,
            lr_start=len(self._lr_of_updates) if varies else -1,
        )
        self._segments.append(np.array([self._current.row()], np.int64))
        self._lrs.append(np.array([self._current.lr]))

    def _leaves_gap(self, chunk: Chunk) -> bool:
        """True if samples are missing between the last chunk and this one."""
        return chunk.samples != self._end_samples

    def _add_knot(self, chunk: Chunk) -> None:
        knots = self._knots.values
        start = max(chunk.seconds, knots[-2, 1] if len(knots) > 1 else 0.0)
        self.revision += int(start != knots[-1, 1])
        knots[-1, 1] = start
        if len(knots) >= self._max_knots:
            self.revision += 1
            self._knots.replace(
                knots[::2].copy() if len(knots) % 2 else np.r_[knots[::2], knots[-1:]]
            )
        self._knots.append(np.array([[self._size, start + max(chunk.duration, 0.0)]]))

    # --- From batches to positions ----------------------------------------------------------------

    def end(self, axis: Axis) -> float:
        """The position after the last batch."""
        match axis:
            case Axis.SAMPLES:
                return float(self._end_samples)
            case Axis.UPDATES:
                return self._end_updates
            case Axis.SECONDS:
                return float(self._knots.values[-1, 1])

    def at(self, axis: Axis, index: Ints) -> Floats:
        """The positions of these batches."""
        match axis:
            case Axis.SAMPLES:
                return self.samples(index).astype(np.float64)
            case Axis.UPDATES:
                rows = self._rows(index)
                epochs, in_group = self._split(rows, index)
                in_group += rows[3]
                whole, part = np.divmod(in_group, rows[6])
                updates: Floats = rows[2] + epochs * rows[9] + whole + part / rows[6]
                return updates
            case Axis.SECONDS:
                knots = self._knots.values
                seconds: Floats = np.interp(index, knots[:, 0], knots[:, 1])
                return seconds

    def samples(self, index: Ints) -> Ints:
        """Samples before these batches; the index after the last batch is valid as well."""
        rows = self._rows(index)
        epochs, batches = self._split(rows, index)
        samples: Ints = rows[1] + epochs * rows[8] + batches * rows[5]
        samples[index >= self._size] = self._end_samples
        return samples

    def sizes(self, start: int, stop: int) -> Ints:
        """Samples in each of the batches start…stop−1."""
        return np.diff(self.samples(np.arange(start, stop + 1)))

    def batch_at(self, index: int) -> BatchPosition:
        """The numbers and settings of a batch."""
        one = np.array([index])
        row = self._rows(one)[:, 0]
        epochs, batches = divmod(index - int(row[0]), int(row[7]))
        return BatchPosition(
            update=int(row[2] + epochs * row[9] + (row[3] + batches) // row[6]) + 1,
            epoch=int(row[4]) + epochs,
            samples=int(self.samples(one)[0]),
            seconds=float(self.at(Axis.SECONDS, one)[0]),
            batch_size=int(self.sizes(index, index + 1)[0]),
            lr=float(self.lrs(one)[0]),
            accumulation_steps=int(row[6]),
        )

    def lrs(self, index: Ints) -> Floats:
        """The lrs of these batches."""
        places = self._segment_of(index)
        lrs: Floats = self._lrs.values[places]
        if len(self._lr_of_updates):
            rows = self._segments.values[places].T
            epochs, batches = self._split(rows, index)
            updates = epochs * rows[9] + (rows[3] + batches) // rows[6]
            varies = rows[10] >= 0
            lrs[varies] = self._lr_of_updates.take((rows[10] + updates)[varies])
        return lrs

    def stretches(self, most: int) -> tuple[Ints, Ints, Ints]:
        """First batches of all segments, or `most` where lrs differ in them; sizes and steps."""
        index = self._segments.values[:, 0]
        if len(self._lr_of_updates):
            index = np.union1d(index, np.linspace(0, self._size - 1, most).astype(np.int64))
        return (index, *self._segments.values[self._segment_of(index)].T[5:7])

    def _segment_of(self, index: Ints) -> Ints:
        found: Ints = np.searchsorted(self._segments.values[:, 0], index, "right") - 1
        return found

    def _rows(self, index: Ints) -> Ints:
        """The segments of these batches as columns, (11, batches); (11, 1) if there is only one."""
        if len(self._segments) == 1:
            return self._segments.values.T
        rows: Ints = self._segments.values[self._segment_of(index)].T
        return rows

    @staticmethod
    def _split(rows: Ints, index: Ints) -> tuple[Ints, Ints]:
        """Whole epochs of the segment before each batch, and earlier batches of its epoch."""
        epochs, batches = np.divmod(index - rows[0], rows[7])
        return epochs, batches

    def epoch_ends(self, axis: Axis, low: float, most: int) -> list[float]:
        """The first `most` positions after `low` at which a new epoch began."""
        if not self._size:
            return []
        after = int(self.first(axis, np.array([low]), lambda at: at > low)[0])
        starts = epoch_starts(self._segments.values, self._size, after, most)
        ends: list[float] = self.at(axis, np.array(starts, np.int64)).tolist()
        return ends

    # --- From positions to batches ----------------------------------------------------------------

    def first(
        self, axis: Axis, near: Floats, reached: Callable[[Floats], NDArray[np.bool_]]
    ) -> Ints:
        """For each entry, the first batch for whose position `reached` is true; len if none is.

        `reached` must be monotonic in the position; `near` is an estimate of the position. The
        result is exact in spite of rounding.
        """
        if self._size == 0:
            return np.zeros(len(near), np.int64)
        found = np.clip(self._guess(axis, near), 0, self._size)
        for _ in range(_TRIES):
            step = np.where(self._has(axis, found - 1, reached), -1, 0)
            step += np.where(self._has(axis, found, reached), 0, 1)
            if not step.any():
                return found
            found = found + step
        return self._bisect(axis, len(near), reached)

    def within(self, axis: Axis, low: float, high: float) -> tuple[int, int]:
        """The batches with low ≤ position ≤ high, as start and stop."""
        edges, is_low = np.array([low, high]), np.array([True, False])
        start, stop = self.first(
            axis, edges, lambda at: (at > edges) | (is_low & (at >= edges))
        ).tolist()
        return start, max(start, stop)

    def _has(self, axis: Axis, index: Ints, reached: Callable[[Floats], NDArray[np.bool_]]) -> Ints:
        inside = np.clip(index, 0, self._size - 1)
        result: Ints = np.where(
            index < 0, False, (index >= self._size) | reached(self.at(axis, inside))
        )
        return result

    def _bisect(
        self, axis: Axis, count: int, reached: Callable[[Floats], NDArray[np.bool_]]
    ) -> Ints:
        low, high = np.zeros(count, np.int64), np.full(count, self._size)
        while (low < high).any():
            middle = (low + high) // 2
            has = self._has(axis, middle, reached)
            low, high = np.where(has | (low >= high), low, middle + 1), np.where(has, middle, high)
        return low

    def _guess(self, axis: Axis, position: Floats) -> Ints:
        """An estimate of the first batch at or after each position."""
        position = np.clip(np.nan_to_num(position), 0.0, self.end(axis))
        if axis is Axis.SECONDS:
            knots = self._knots.values
            index: Ints = np.ceil(np.interp(position, knots[:, 1], knots[:, 0])).astype(np.int64)
            return index
        column, period = (1, 8) if axis is Axis.SAMPLES else (2, 9)
        table = self._segments.values
        rows = table[np.maximum(np.searchsorted(table[:, column], position, "right") - 1, 0)].T
        beyond = np.maximum(position - rows[column], 0.0)
        epochs = np.floor(beyond / np.maximum(rows[period], 1)) * (rows[7] < ENDLESS)
        beyond = beyond - epochs * rows[period]
        batches = beyond / rows[5] if axis is Axis.SAMPLES else beyond * rows[6] - rows[3]
        batches = np.minimum(np.ceil(batches), rows[7].astype(np.float64))
        guess: Ints = (rows[0] + epochs * rows[7] + batches).astype(np.int64)
        return guess
