"""Consecutive losses of a log as columns, so that a long past is read without work per batch.

Imports numpy, which connecting to a host does without: import it inside functions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.log.records import AnyRecord, Chunk, Evaluation, Record

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FEWEST: Final = 8
"""Fewest records that are worth the fixed cost of columns; two or more."""

_COUNTS: Final = (
    "generation",
    "epoch",
    "batch",
    "update",
    "in_update",
    "samples",
    "batch_size",
    "last_batch_size",
    "accumulation_steps",
    "clipped",
    "skipped",
    "peak_memory",
)
_counts: Final = attrgetter(*_COUNTS)
_places: Final = attrgetter("epoch", "batches", "updates", "samples")
_times: Final = attrgetter("seconds", "duration")
_lr: Final = attrgetter("lr")
_wall_time: Final = attrgetter("wall_time")
_losses: Final = attrgetter("losses")


class LossBlock:
    """Consecutive chunks, each of one epoch and of weighted batches, and evaluations among them."""

    def __init__(self, records: Sequence[Chunk | Evaluation]) -> None:
        self.records = records
        self.chunks: list[Chunk] = [each for each in records if type(each) is Chunk]
        self.evaluations: list[Evaluation] = [each for each in records if type(each) is Evaluation]
        pieces = list(map(_losses, self.chunks))
        self.sizes: Ints = np.fromiter(map(len, pieces), np.int64, len(pieces))
        """Bytes of the losses of each chunk."""
        self.batches: Ints = self.sizes // 4
        """Number of batches in each chunk."""
        table = _table(_counts, self.chunks, len(_COUNTS), "i8")
        self.generation, self.epoch, self.batch, self.update, self.in_update = table[:5]
        self.samples, self.batch_size, self.last_batch_size, self.steps = table[5:9]
        self.clipped, self.skipped, self.peak_memory = table[9:]
        self.seconds, self.duration = _table(_times, self.chunks, 2, "f8")
        self.evaluated = _table(_places, self.evaluations, 4, "i8")
        """Epoch, batches, updates and samples of each evaluation, (4, evaluations)."""
        self._pieces = pieces

    def __len__(self) -> int:
        return len(self.records)

    @property
    def wall_time(self) -> float:
        """The latest time of writing; 0 if unknown."""
        return float(max(map(_wall_time, self.records)))

    @cached_property
    def losses(self) -> NDArray[np.float32]:
        """The losses of all chunks."""
        return np.frombuffer(b"".join(self._pieces), "<f4")

    @cached_property
    def lr(self) -> Floats:
        """The lr of each chunk; NaN if it differs between the chunk's updates."""
        lrs = list(map(_lr, self.chunks))
        try:
            return np.array(lrs, np.float64)
        except ValueError:  # bytes among them
            return np.array([np.nan if isinstance(lr, bytes) else lr for lr in lrs])

    @cached_property
    def end_samples(self) -> Ints:
        """Samples trained on after each chunk."""
        ends: Ints = self.samples + (self.batches - 1) * self.batch_size + self.last_batch_size
        return ends

    @cached_property
    def last_update(self) -> Ints:
        """The update to which the last batch of each chunk contributes."""
        last: Ints = self.update + (self.in_update + self.batches - 1) // self.steps
        return last

    @cached_property
    def sums(self) -> Floats:
        """The sum of the losses of each chunk, as `loss_sum` adds them."""
        starts = np.cumsum(self.batches) - self.batches
        with np.errstate(invalid="ignore"):  # infinities of either sign
            return np.add.reduceat(self.losses.astype(np.float64), starts)


def loss_sum(losses: NDArray[np.float32]) -> float:
    """The sum of the losses of one chunk, with the same rounding as in a block."""
    if not len(losses):
        return 0.0
    with np.errstate(invalid="ignore"):
        return float(np.add.reduceat(losses.astype(np.float64), [0])[0])


def stretches(records: Sequence[AnyRecord | None]) -> Iterator[tuple[int, int]]:
    """Start and stop of each stretch of records that can be a block, or of a single other one."""
    start = None
    for place, record in enumerate(records):
        kind = type(record)
        if kind is Evaluation or (isinstance(record, Chunk) and _is_plain(record)):
            start = place if start is None else start
            continue
        if start is not None:
            yield start, place
            start = None
        yield place, place + 1
    if start is not None:
        yield start, len(records)


def _is_plain(chunk: Chunk) -> bool:
    return chunk.epochs == 1 and not chunk.weightless


def _table(
    fields: Callable[[Any], Iterable[Any]], records: Sequence[Record], columns: int, dtype: str
) -> NDArray[Any]:
    """These fields of all records, (columns, records)."""
    values = chain.from_iterable(map(fields, records))
    table = np.fromiter(values, dtype, columns * len(records)).reshape(-1, columns)
    return np.ascontiguousarray(table.T)
