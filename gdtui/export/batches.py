"""The batches of a log as columns, expanded from the losses and headers of chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Chunk
from gdtui.history.chunk_losses import losses_of, lrs_of

_WHOLE: Final = (
    "epoch", "epoch_batches", "epoch_samples", "epoch_updates", "batch", "batches", "update",
    "in_update", "samples", "batch_size", "last_batch_size", "accumulation_steps",
)  # fmt: skip
_REAL: Final = ("seconds", "duration")
"""Fields of a chunk: whole numbers, and floats."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchColumns:
    """Consecutive batches of a generation, with an array of shape (batches,) for each column."""

    batch: NDArray[np.int64]
    """The number of the batch in its generation, from 1."""
    update: NDArray[np.int64]
    """The optimiser step that the batch contributes to, from 1."""
    epoch: NDArray[np.int64]
    """The pass over the training data that the batch belongs to, from 1."""
    samples: NDArray[np.int64]
    """Samples trained on before the batch; its loss is that of the model after these samples."""
    seconds: NDArray[np.float64]
    """Training time before the batch, without pauses, waits for the pace, and measurements."""
    batch_size: NDArray[np.int64]
    """Samples in the batch."""
    accumulation_steps: NDArray[np.int64]
    """Batches per update."""
    lr: NDArray[np.float64]
    """The lr of the update, scaling and schedule included: the first parameter group's."""
    loss: NDArray[np.float32]
    """Mean loss of the batch, before its update; NaN if all its targets are ignored."""

    def __len__(self) -> int:
        return len(self.loss)


class Places(NamedTuple):
    """The columns that differ between the batches of a chunk."""

    batch: NDArray[np.int64]
    update: NDArray[np.int64]
    epoch: NDArray[np.int64]
    samples: NDArray[np.int64]
    seconds: NDArray[np.float64]
    batch_size: NDArray[np.int64]


def places_of(chunk: Any, order: NDArray[np.int64]) -> Places:
    """Places of the batches `order` (from 0) in a chunk, or in several if its fields are arrays."""
    epochs, place = np.divmod(order, chunk.epoch_batches)
    updates = (chunk.in_update + place) // chunk.accumulation_steps
    is_last = place == chunk.epoch_batches - 1
    return Places(
        batch=chunk.batch + order,
        update=chunk.update + epochs * chunk.epoch_updates + updates,
        epoch=chunk.epoch + epochs,
        samples=chunk.samples + epochs * chunk.epoch_samples + chunk.batch_size * place,
        seconds=chunk.seconds + chunk.duration / chunk.batches * order,
        batch_size=np.where(is_last, chunk.last_batch_size, chunk.batch_size),
    )


def batch_columns(chunks: Sequence[Chunk]) -> BatchColumns:
    """The columns of all batches of these chunks, in order; a chunk without losses adds nothing."""
    chunks = [chunk for chunk in chunks if chunk.losses]
    counts = np.array([chunk.batches for chunk in chunks], np.int64)
    ends = np.cumsum(counts)
    order = np.arange(counts.sum()) - np.repeat(ends - counts, counts)

    def spread(field: str, kind: type[np.generic] = np.int64) -> Any:
        """A field of the chunks, repeated for each of their batches."""
        return np.repeat(np.array([getattr(chunk, field) for chunk in chunks], kind), counts)

    whole = {field: spread(field) for field in _WHOLE}
    real = {field: spread(field, np.float64) for field in _REAL}
    places = places_of(SimpleNamespace(**whole, **real), order)
    return BatchColumns(
        batch=places.batch,
        update=places.update,
        epoch=places.epoch,
        samples=places.samples,
        seconds=places.seconds,
        batch_size=places.batch_size,
        accumulation_steps=whole["accumulation_steps"],
        lr=np.concatenate([np.empty(0), *map(lrs_of, chunks)]),
        loss=np.concatenate([np.empty(0, np.float32), *map(losses_of, chunks)], dtype=np.float32),
    )
