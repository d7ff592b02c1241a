"""The records of a sample as a shorter training with gaps, whose batches are renumbered.

Each batch keeps its position on the axes. Consecutive losses become one chunk.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec.structs import replace

from engine.log.reading.decode import RecordError
from engine.log.reading.loss_block import FEWEST, LossBlock, stretches
from engine.log.reading.probes import LogPart
from engine.log.reading.sequence import Sequence as Order
from engine.log.records import AnyRecord, Chunk, Evaluation, Origin, Scalars, Started
from gdtui.history.chunk_losses import losses_of
from gdtui.history.smoothing import Thinning

_MOST: Final = 512
"""Losses of a chunk that are taken; one may have thousands."""


class _Run(NamedTuple):
    """Consecutive batches: the number of those before them in the log, and in the sample."""

    true: int
    own: int
    batches: int


class ThinnedLog:
    """The records of a sampled log. Raises RecordError if they are not in order."""

    def __init__(self, parts: Sequence[LogPart], source: "Callable[[str], ThinnedLog]") -> None:
        """`source`: the log of another variant of the run, which may have been forked."""
        self._source = source
        self._runs: dict[int, list[_Run]] = {}
        self._taken: dict[int, int] = {}
        self._end: dict[int, int] = {}
        """The samples of a generation whose losses are here, and all of them."""
        self._generation = 0
        self.records = [*_in_order(self._thinned(parts))]

    def thinning(self, generation: int) -> Thinning | None:
        """How thin the losses of a generation are; None if there are none."""
        if not self._taken.get(generation):
            return None
        end = max(self._end[generation], 1)
        return Thinning(min(self._taken[generation] / end, 1.0), end)

    def until(self, generation: int, batches: int) -> list[_Run]:
        """The batches of a generation up to the one with this number in the log."""
        runs = self._runs.get(generation, [])
        kept = runs[: bisect_left(runs, batches, key=lambda run: run.true)]
        return [run._replace(batches=min(run.batches, batches - run.true)) for run in kept]

    def _thinned(self, parts: Sequence[LogPart]) -> Iterator[AnyRecord]:
        chunks = [each for part in (*parts[:1], *parts[-1:]) for each in part.chunks]
        apart = chunks[:1] + chunks[-1:]  # the first sizes and the end are exact
        for part in parts:
            for piece in _pieces(part.records, apart):
                if isinstance(piece, list):
                    is_exact = any(piece[0] is each for each in apart)
                    yield self._numbered(piece[0] if is_exact else _joined(piece))
                elif isinstance(piece, Started):
                    yield self._begun(piece)
                elif not isinstance(piece, Scalars):  # those are about batches by their numbers
                    yield piece

    def _begun(self, record: Started) -> Started:
        self._generation = record.generation
        self._taken[record.generation] = self._end[record.generation] = 0
        runs = self._runs[record.generation] = self._past(record.origin) if record.origin else []
        if record.origin is None:
            return record
        count = runs[-1].own + runs[-1].batches if runs else 0
        return replace(record, origin=replace(record.origin, batches=count) if count else None)

    def _past(self, origin: Origin) -> list[_Run]:
        log = self._source(origin.variant) if origin.variant else self
        return log.until(origin.generation, origin.batches)

    def _numbered(self, chunk: Chunk) -> Chunk:
        if chunk.generation != self._generation:
            raise RecordError("the beginning of its generation was not found")
        runs, before = self._runs[chunk.generation], chunk.batch - 1
        if runs and before < runs[-1].true + runs[-1].batches:
            raise RecordError("its batches were there before")
        own = runs[-1].own + runs[-1].batches if runs else 0
        runs.append(_Run(before, own, chunk.batches))
        self._taken[chunk.generation] += chunk.batches * chunk.batch_size
        self._end[chunk.generation] = chunk.end_samples
        return replace(chunk, batch=own + 1)


def _in_order(records: Iterator[AnyRecord]) -> Iterator[AnyRecord | LossBlock]:
    """Records whose order was checked, most of them in blocks."""
    order, every = Order(), [*records]
    for start, stop in stretches(every):
        if stop - start >= FEWEST:
            block = LossBlock(every[start:stop])  # type: ignore[arg-type]
            if not order.add_block(block):
                raise RecordError("the parts of its sample are not in order")
            yield block
            continue
        for record in every[start:stop]:
            order.add(record)
            yield record


def _pieces(
    records: Sequence[AnyRecord], apart: Sequence[Chunk]
) -> Iterator[AnyRecord | list[Chunk]]:
    """Chunks that can be joined, as a list, and all other records; evaluations thinned as well."""
    chunks: list[Chunk] = []
    evaluations: list[Evaluation] = []
    for record in records:
        if isinstance(record, Evaluation) and chunks:
            evaluations.append(record)
            continue
        goes_on = isinstance(record, Chunk) and bool(chunks) and _fits(chunks[-1], record)
        is_apart = any(each is record or each is chunks[0] for each in apart if chunks)
        if chunks and (is_apart or not goes_on):
            yield chunks
            yield from _best(evaluations)
            chunks, evaluations = [], []
        if isinstance(record, Chunk):
            chunks.append(record)
        else:
            yield record
    if chunks:
        yield chunks
    yield from _best(evaluations)


def _best(evaluations: Sequence[Evaluation]) -> Sequence[Evaluation]:
    """The last of them, or the last with the loss on all data, which may have been skipped."""
    whole = [each for each in evaluations if each.full_loss is not None]
    return (whole or evaluations)[-1:]


def _fits(before: Chunk, chunk: Chunk) -> bool:
    """True if a chunk goes on where another one ends, with the same sizes."""
    return (
        before.generation == chunk.generation
        and before.batch + before.batches == chunk.batch
        and before.batch_size == chunk.batch_size
        and before.accumulation_steps == chunk.accumulation_steps
    )


def _joined(chunks: Sequence[Chunk]) -> Chunk:
    """One chunk of these, as if of one epoch: a batch in it is at most one epoch's rest too early.

    Has at most about 500 losses, from the first one on.
    """
    first, last = chunks[0], chunks[-1]
    every = np.concatenate([losses_of(each) for each in chunks])
    count = min(len(every), _MOST)
    size = max(1, min(first.batch_size, (last.end_samples - first.samples) // max(len(every), 1)))
    duration = max(last.seconds + last.duration - first.seconds, 0.0)
    return replace(
        first,
        epochs=1,
        duration=duration * count / max(len(every), 1),
        batch_size=size,
        last_batch_size=size,
        lr=first.lrs[0],
        clipped=0,
        skipped=0,
        losses=every[:count].astype("<f4").tobytes(),
        weightless=(),
    )
