"""Losses of consecutive batches, put together to the records of a log. Pure, except for a clock."""

import array
import sys
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final, Literal

from msgspec.structs import replace

from engine.log.records import Chunk
from engine.log.records.chunk import packed
from engine.tracking.record.numbers import NumberBuffer, Numbers

CHUNK_SECONDS: Final = 0.1
"""Training time of a chunk. A third of a worker's rate: each costs a script's thread 0.2 ms."""


@dataclass(slots=True)
class Counters:
    """Counts of everything that was trained before the next batch."""

    epoch: int = 1
    batches: int = 0
    updates: int = 0
    in_update: int = 0
    """Batches of the update that has begun."""
    samples: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class OpenChunk:
    """A chunk whose losses may still be on a device."""

    header: Chunk
    losses: Numbers


@dataclass(slots=True)
class ChunkBuilder:
    """The chunk that is being trained, and the position in the training."""

    losses: NumberBuffer
    batch_size: int
    steps: int
    """Batches per update."""
    hand_over: Callable[[OpenChunk], object]
    at: Counters = field(default_factory=Counters)
    """The position after the last batch added."""
    generation: int = 1
    _count: int = 0
    _start: Counters = field(default_factory=Counters)
    _size: int = 1
    _last_size: int = 1
    _lrs: list[float] = field(default_factory=list)
    _mark: float = field(default_factory=perf_counter)
    """The time up to which `at.seconds` counts."""
    _due: float = 0.0
    """The time at which the chunk is long enough."""

    def resume_clock(self) -> None:
        """Count no time since the last cut; nothing may have been added since."""
        self._mark = perf_counter()
        self._due = self._mark + CHUNK_SECONDS

    def add(self, loss: Any, samples: int, lr: float, *, ends_update: bool) -> None:
        """Add a batch; hands over the chunk before it, or with it, if it cannot go on.

        Every step of a loop comes through here, so that calls are few.
        """
        at = self.at
        if self._count and (self._last_size != self._size or samples > self._size):
            self.cut()
        if not self._count:
            self._start = copy(at)
            self._size = max(self.batch_size, samples)
            self._lrs.clear()
        self.losses.add(loss)
        self._count += 1
        self._last_size = samples
        if at.in_update and self._lrs:
            self._lrs[-1] = lr
        else:
            self._lrs.append(lr)
        at.batches += 1
        at.samples += samples
        at.in_update += 1
        if ends_update:
            is_short = at.in_update < self.steps
            at.updates += 1
            at.in_update = 0
            if is_short:
                self.cut()
                return
        if perf_counter() >= self._due:
            self.cut()

    def cut(self) -> None:
        """End the chunk and hand it over, if anything was added to it."""
        if not self._count:
            return
        now = perf_counter()
        duration = now - self._mark
        self._mark, self._due = now, now + CHUNK_SECONDS
        start = self._start
        self.at.seconds += duration
        self._count = 0
        header = Chunk(
            generation=self.generation,
            epoch=start.epoch,
            batch=start.batches + 1,
            update=start.updates + 1,
            in_update=start.in_update,
            samples=start.samples,
            seconds=start.seconds,
            duration=duration,
            batch_size=self._size,
            last_batch_size=self._last_size,
            accumulation_steps=self.steps,
            lr=packed(self._lrs),
            losses=b"",
        )
        self.hand_over(OpenChunk(header, self.losses.take()))


def complete(chunk: OpenChunk) -> Chunk:
    """The chunk with its losses; waits for the device."""
    return replace(chunk.header, losses=packed_numbers("f", chunk.losses.floats()))


def packed_numbers(kind: Literal["f", "d", "Q"], numbers: Sequence[float]) -> bytes:
    """Numbers of this C type, the least significant byte first."""
    data = array.array(kind, numbers)
    if sys.byteorder == "big":
        data.byteswap()
    return data.tobytes()
