"""The losses of a chunk, with a gap for each batch without weight; the lr of each batch."""

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Chunk


def losses_of(chunk: Chunk) -> NDArray[np.float32]:
    """The loss of each batch; NaN, which is not drawn or counted, if a batch has no weight."""
    losses = np.frombuffer(chunk.losses, "<f4")
    if chunk.weightless:
        losses = losses.copy()
        losses[list(chunk.weightless)] = np.nan
    return losses


def lrs_of(chunk: Chunk) -> NDArray[np.float64]:
    """The lr of each batch: that of the update that it contributes to."""
    if not isinstance(chunk.lr, bytes):
        return np.full(chunk.batches, chunk.lr)
    epochs, place = np.divmod(np.arange(chunk.batches), chunk.epoch_batches)
    updates = (chunk.in_update + place) // chunk.accumulation_steps
    lrs: NDArray[np.float64] = np.frombuffer(chunk.lr, "<f8")[
        epochs * chunk.epoch_updates + updates
    ]
    return lrs
