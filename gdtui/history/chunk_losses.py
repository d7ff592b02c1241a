"""The losses of a chunk, with a gap for each batch without weight."""

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
