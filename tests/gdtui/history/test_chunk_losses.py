"""Losses of batches without weight are gaps."""

import numpy as np
from msgspec.structs import replace
from plain_chunks import plain_chunk

from gdtui.history import History
from gdtui.history.chunk_losses import losses_of


def test_a_batch_without_weight_is_a_gap_that_counts_nowhere() -> None:
    chunk = plain_chunk(1, 8)
    losses = np.frombuffer(chunk.losses, "<f4")
    holed = losses.copy()
    holed[[2, 5]] = 0.0
    weightless = replace(chunk, losses=holed.tobytes(), weightless=(2, 5))
    assert np.isnan(losses_of(weightless)[[2, 5]]).all()
    kept = np.delete(losses, [2, 5])
    assert (np.delete(losses_of(weightless), [2, 5]) == kept).all()
    history = History(2_000)
    history.append(weightless)
    assert history.smoothed_last(0.25) > kept.min()
    assert np.isnan(history.at(2).loss)
