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

from engine.log.reading.loss_block import LossBlock
from engine.log.records import Chunk
from gdtui.chart.scene.arrays import Floats, Ints
from gdtui.chart.scene.polyline import Axis
from gdtui.history.settings_segment import BatchPosition, SettingsSegment
from gdtui.history.storage import segment_table
from gdtui.history.storage.growing_array import GrowingArray
from gdtui.history.storage.seconds_knots import MAX_KNOTS, SecondsKnots
from gdtui.history.storage.update_lrs import UpdateLrs

_TRIES: Final = 3
_FEWEST: Final = 8
"""Chunks compared at once with a segment that has just begun."""


class Positions:
    """The positions of all batches of a generation, by index from 0."""

    def __init__(self, n: int, max_knots: int = MAX_KNOTS) -> None:
        """`n` is the number of samples in an epoch, `max_knots` the most knots of seconds kept."""
        self._n = n
        self._knots = SecondsKnots(max_knots)
        self._segments = GrowingArray("i8", 11)
        self._lrs = GrowingArray("f8")
        self._lr_of_updates = UpdateLrs()
        self._current: SettingsSegment | None = None
        self._size = self._epoch = self._epoch_start = self._end_samples = 0
        self._end_updates = 0.0

    def __len__(self) -> int:
        return self._size

    @property
    def segments(self) -> int:
        """The number of segments in which the batches are stored."""
        return len(self._segments)

    @property
    def revision(self) -> int:
        """A version that changes when the seconds of earlier batches change."""
        return self._knots.revision

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
        self._advance(chunk)
        self._knots.append(self._size, chunk.seconds, chunk.duration)

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
        self._current = SettingsSegment.beginning_with(
            chunk,
            is_whole=chunk.epoch != self._epoch,
            lr_start=len(self._lr_of_updates) if varies else -1,
        )
        self._segments.append(np.array([self._current.row()], np.int64))
        self._lrs.append(np.array([self._current.lr]))

    def _leaves_gap(self, chunk: Chunk) -> bool:
        """True if samples are missing between the last chunk and this one."""
        return chunk.samples != self._end_samples

    def extend(self, block: LossBlock) -> None:
        """Add the chunks of a block, with the same result as one by one."""
        place, count, reach = 0, len(block.chunks), len(block.chunks)
        while place < count:
            stop = min(place + reach, count)
            current = self._current
            fitting = current.predicted(block, place, stop, self._end_samples) if current else 0
            if fitting:
                self._take(block, place, place + fitting)
                place += fitting
                reach *= 4
            if place < stop:
                self.append(block.chunks[place])
                place += 1
                reach = _FEWEST

    def _take(self, block: LossBlock, start: int, stop: int) -> None:
        """Add chunks that the current segment predicts."""
        some = slice(start, stop)
        epochs = block.epoch[some]
        begins = np.flatnonzero(epochs != np.concatenate(([self._epoch], epochs[:-1])))
        if len(begins):
            self._epoch_start = int(block.samples[some][begins[-1]])
        ends = self._size + np.cumsum(block.batches[some])
        self._size = int(ends[-1])
        self._advance(block.chunks[stop - 1])
        self._knots.extend(ends, block.seconds[some], block.duration[some])

    def _advance(self, chunk: Chunk) -> None:
        """Note the end of the last chunk; the start of its epoch is known."""
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

    # --- From batches to positions ----------------------------------------------------------------

    def end(self, axis: Axis) -> float:
        """The position after the last batch."""
        if axis is Axis.SECONDS:
            return self._knots.end
        return float(self._end_samples) if axis is Axis.SAMPLES else self._end_updates

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
                return self._knots.seconds(index)

    def samples(self, index: Ints) -> Ints:
        """Samples before these batches; the index after the last batch is valid as well."""
        rows = self._rows(index)
        epochs, batches = self._split(rows, index)
        samples: Ints = rows[1] + epochs * rows[8] + batches * rows[5]
        samples[index >= self._size] = self._end_samples
        return samples

    def evenly_passed(self, index: Ints, most: float) -> Floats:
        """As `samples`, but those missing after a segment pass during it, ≤ `most` a batch."""
        rows = self._segments.values
        return segment_table.evenly(rows, index, self._size, self._end_samples, most)

    def kinds_of_stretches(self, starts: Ints, length: int) -> Ints:
        """A number for each stretch of batches; those with the same number have equal sizes."""
        return segment_table.stretch_kinds(self._segments.values, starts, length, self._size)

    def even_size(self, start: int, stop: int) -> int:
        """The samples in each of the batches start…stop−1; 0 if they may differ."""
        first, last = self._segment_of(np.array([start, stop - 1])).tolist()
        size = int(self._segments.values[first, 5])
        passed = np.diff(self.samples(np.array([start, stop])))  # no batch has more than this size
        return size if first == last and passed[0] == size * (stop - start) else 0

    def batch_at(self, index: int) -> BatchPosition:
        """The numbers and settings of a batch."""
        one = np.array([index])
        row = self._rows(one)[:, 0]
        epochs, batches = divmod(index - int(row[0]), int(row[7]))
        begin, end = self.samples(np.array([index, index + 1])).tolist()
        return BatchPosition(
            update=int(row[2] + epochs * row[9] + (row[3] + batches) // row[6]) + 1,
            epoch=int(row[4]) + epochs,
            samples=begin,
            seconds=float(self.at(Axis.SECONDS, one)[0]),
            batch_size=end - begin,
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
        starts = segment_table.epoch_starts(self._segments.values, self._size, after, most)
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
            before, at = self._has(axis, np.stack((found - 1, found)), reached)
            if not before.any() and at.all():
                return found
            found = found - before + ~at
        count, size = len(near), self._size
        return segment_table.bisected(count, size, lambda at: self._has(axis, at, reached))

    def within(self, axis: Axis, low: float, high: float) -> tuple[int, int]:
        """The batches with low ≤ position ≤ high, as start and stop."""
        edges, is_low = np.array([low, high]), np.array([True, False])
        start, stop = self.first(
            axis, edges, lambda at: (at > edges) | (is_low & (at >= edges))
        ).tolist()
        return start, max(start, stop)

    def _has(
        self, axis: Axis, index: Ints, reached: Callable[[Floats], NDArray[np.bool_]]
    ) -> NDArray[np.bool_]:
        """True where the batch has reached it; `index` may have several rows."""
        inside = np.minimum(np.maximum(index, 0), self._size - 1)
        at = self.at(axis, inside.ravel()).reshape(index.shape)
        return (index >= 0) & ((index >= self._size) | reached(at))

    def _guess(self, axis: Axis, position: Floats) -> Ints:
        """An estimate of the first batch at or after each position."""
        position = np.fmin(np.fmax(position, 0.0), self.end(axis))
        if axis is Axis.SECONDS:
            return np.ceil(self._knots.index(position)).astype(np.int64)
        rows = self._segments.values
        return segment_table.likely_batches(rows, position, is_samples=axis is Axis.SAMPLES)
