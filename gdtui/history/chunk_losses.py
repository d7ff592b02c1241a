"""The losses of a chunk, with gaps where a batch has none."""

import numpy as np
from numpy.typing import NDArray

from engine.log.records import Chunk


def losses_of(chunk: Chunk) -> NDArray[np.float32]:
    """The loss of each batch; NaN, which is drawn and counted nowhere, of one without weight."""
    losses = np.frombuffer(chunk.losses, "<f4")
    if chunk.weightless:
        losses = losses.copy()
        losses[list(chunk.weightless)] = np.nan
    return losses
