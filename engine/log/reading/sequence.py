"""Checks the order of the records in a log: each record against those before it.

Charts and figures accumulate records and rely on the order. The cost does not grow with the number
of losses, since only the header and the length of a chunk are checked.
"""

import math
import struct
from collections.abc import Collection
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.reading.decode import RecordError
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    CommandSent,
    Evaluation,
    Measured,
    Origin,
    Scalars,
    Started,
    Validated,
    VariantAdded,
    VariantRemoved,
    WorkerDied,
    WorkerReplaced,
)
from engine.settings import SettingsError, VariantSettings
from engine.settings.ranges import MOST_COUNTED, MOST_METRICS

if TYPE_CHECKING:
    from engine.log.reading.loss_block import LossBlock  # imports numpy

_MOST_MEASURED: Final = 1e150
"""Largest finite estimate accepted. Estimates get squared, and a larger one could overflow."""
_ROUNDING: Final = 1e-6
"""Tolerance in seconds: an import interpolates times that were rounded."""

_Place = tuple[int, int, int, int]


class Sequence:
    """The position in a log after the records so far, against which the next one is checked."""

    def __init__(self, variants: Collection[str] | None = None) -> None:
        """`variants` are the names that the session's log may refer to; None if unknown."""
        self._variants = None if variants is None else {*variants}
        self._metrics: set[str] = set()
        self._generation = 0
        self._n = 0
        """Samples in the training set; 0 until logged."""
        self._ends: dict[int, int] = {}
        """The last batch of each earlier generation."""
        self._begin()

    def _begin(self) -> None:
        self._batch = self._epoch = self._update = self._samples = 0
        self._seconds = -_ROUNDING
        self._evaluated = self._validated = self._changed = (0, 0, 0, 0)

    def add(self, record: AnyRecord) -> None:
        """Add the next record; RecordError if it cannot follow those before it."""
        if type(record) is Chunk:  # nearly all records are chunks
            if record.generation != self._generation:
                self._enter(record.generation)
            self._follow(record)
            return
        match record:
            case Started():
                self._start(record)
            case Evaluation():
                self._enter(record.generation)
                self._evaluated = _forward(self._evaluated, _place(record))
                self._note(record.metrics)
            case Validated():
                self._enter(record.generation)
                self._validated = _forward(self._validated, _place(record))
                self._note(record.metrics)
            case Changed():
                self._enter(record.generation)
                place = record.epoch, record.batch, record.update, record.samples
                self._changed = _forward(self._changed, place)
                self._check_settings(record.settings)
            case Scalars():
                self._enter(record.generation)
                _check_scalars(record, self._batch)
                self._note(record.values)
            case Measured():
                _check_measured(record.noise)
                _check_measured(record.sharpness)
            case (
                CommandSent() | VariantAdded() | VariantRemoved() | WorkerDied() | WorkerReplaced()
            ):
                self._name(record)
            case _:
                pass

    def _name(
        self, record: CommandSent | VariantAdded | VariantRemoved | WorkerDied | WorkerReplaced
    ) -> None:
        """Check that the run has the variant that a record of the session is about."""
        if self._variants is None:
            return
        if isinstance(record, VariantAdded):
            self._variants.add(record.variant)
        if record.variant not in self._variants:
            raise RecordError(f"the run has no variant {record.variant!r}")

    def add_block(self, block: "LossBlock") -> bool:
        """Add all records of a block, or none: then `add` says which one cannot follow."""
        from engine.log.reading.block_order import LogPosition, evaluated_after, position_after

        metrics = self._metrics.union(*(each.metrics for each in block.evaluations if each.metrics))
        generations = {each.generation for each in block.evaluations}
        if generations - {self._generation} or len(metrics) > MOST_METRICS:
            return False
        before = LogPosition(self._batch, self._epoch, self._update, self._samples, self._seconds)
        after = position_after(block, self._generation, before)
        evaluated = evaluated_after(block, self._evaluated)
        if after is None or evaluated is None:
            return False
        if block.chunks:
            self._batch, self._epoch, self._update, self._samples, seconds = after
            self._seconds = seconds - _ROUNDING
        self._evaluated, self._metrics = evaluated, metrics
        return True

    def _start(self, record: Started) -> None:
        if record.generation <= self._generation:
            raise RecordError(
                f"generation {record.generation} cannot begin after generation {self._generation}"
            )
        self._ends[self._generation] = self._batch
        self._generation, self._n = record.generation, record.n
        self._begin()
        self._check_settings(record.settings)
        if record.origin is not None:
            self._begin_after(record.origin)

    def _begin_after(self, origin: Origin) -> None:
        """Go on with the counters of an earlier generation, or of another variant's."""
        end = origin.batches if origin.variant else self._ends.get(origin.generation, 0)
        if origin.batches > end:
            raise RecordError(
                f"it begins after batch {origin.batches} of generation {origin.generation}, "
                f"which ends at batch {end}"
            )
        self._batch, self._epoch, self._update = origin.batches, origin.epoch, origin.updates
        self._samples, self._seconds = origin.samples, origin.seconds - _ROUNDING
        place = origin.epoch, origin.batches, origin.updates, origin.samples
        self._evaluated = self._validated = self._changed = place

    def _enter(self, generation: int) -> None:
        """Check the generation of the next record; the first one may lack a Started record."""
        if generation == self._generation:
            return
        if self._generation:
            raise RecordError(
                f"it is of generation {generation}, amid those of generation {self._generation}"
            )
        self._generation = generation

    def _follow(self, chunk: Chunk) -> None:
        """Check a chunk against those before it."""
        count, rest = divmod(len(chunk.losses), 4)
        batch, update, samples = chunk.batch, chunk.update, chunk.samples
        size, last, steps = chunk.batch_size, chunk.last_batch_size, chunk.accumulation_steps
        if rest or not count:
            raise RecordError(f"its losses are {len(chunk.losses):,} bytes, not 4 for each batch")
        if chunk.epochs > 1 and (count % chunk.epochs or chunk.in_update):
            raise RecordError(f"its {count:,} batches are not {chunk.epochs:,} whole epochs")
        if chunk.weightless and (max(chunk.weightless) >= count or chunk.epochs > 1):
            raise RecordError("its batches without weight are not among its batches")
        if batch != self._batch + 1:
            raise RecordError(f"batch {batch} cannot follow batch {self._batch}")
        if last > size or chunk.in_update >= steps:
            raise RecordError("its batches are larger, or more of a group, than its settings say")
        if (
            update < self._update
            or samples < self._samples
            or chunk.epoch < self._epoch
            or chunk.seconds < self._seconds
        ):
            raise RecordError("its epoch, update, samples or seconds lie before those already seen")
        self._batch += count
        self._epoch, self._seconds = chunk.epoch + chunk.epochs - 1, chunk.seconds - _ROUNDING
        if chunk.epochs == 1:
            self._update = update + (chunk.in_update + count - 1) // steps
            self._samples = samples + (count - 1) * size + last
        else:
            self._update, self._samples = chunk.last_update, chunk.end_samples
        if self._samples > MOST_COUNTED or self._update > MOST_COUNTED:
            raise RecordError("its samples or updates are out of range")
        if type(chunk.lr) is bytes or chunk.clipped or chunk.skipped:
            _check_updates(chunk, self._update - update + 1)

    def _note(self, metrics: Collection[str]) -> None:
        """Limit the number of metric names in a log, since each becomes a column of an export."""
        self._metrics.update(metrics)
        if len(self._metrics) > MOST_METRICS:
            raise RecordError(f"the log has more than {MOST_METRICS:,} metrics")

    def _check_settings(self, settings: VariantSettings) -> None:
        """Check that settings which were in force can be resolved for the training set."""
        if self._n:
            try:
                settings.resolve(self._n)
            except (SettingsError, OverflowError) as error:
                raise RecordError(f"its settings: {error}") from None


def _check_updates(chunk: Chunk, updates: int) -> None:
    """Judge what a chunk says of its updates, some of which may have begun or end elsewhere."""
    if isinstance(chunk.lr, bytes):
        if len(chunk.lr) != 8 * updates:
            raise RecordError(f"its lr is {len(chunk.lr):,} bytes, not 8 for each update")
        if not all(lr >= 0 for lr in chunk.lrs):
            raise RecordError("an lr of an update is below 0, or not a number")
    if max(chunk.clipped, chunk.skipped) > updates:
        raise RecordError("more updates were clipped or skipped than there are")


def _check_scalars(record: Scalars, last: int) -> None:
    """Check that the numbers are for batches that the log holds."""
    count, rest = divmod(len(record.batches), 8)
    if rest or not count or any(len(each) != 8 * count for each in record.values.values()):
        raise RecordError("its numbers are not 8 bytes for each of its batches")
    batches = struct.unpack(f"<{count}Q", record.batches)
    if batches[0] < 1 or batches[-1] > last or any(a >= b for a, b in pairwise(batches)):
        raise RecordError("its numbers are for batches that the log does not hold, or in no order")


def _place(record: Evaluation | Validated) -> _Place:
    return record.epoch, record.batches, record.updates, record.samples


def _forward(before: _Place, place: _Place) -> _Place:
    if any(now < then for then, now in zip(before, place, strict=True)):
        raise RecordError("its epoch, batches, updates or samples lie before those already seen")
    return place


def _check_measured(found: NoiseScale | Sharpness | None) -> None:
    for value in () if found is None else msgspec.structs.astuple(found):
        for number in value if isinstance(value, tuple) else (value,):
            if number is not None and math.isfinite(number) and abs(number) > _MOST_MEASURED:
                raise RecordError("a measurement is out of range")
