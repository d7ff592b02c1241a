"""Chunks of a training in which nothing changes."""

import numpy as np

from engine.log.records import Chunk


def plain_chunk(
    batch: int, count: int, n: int = 2_000, size: int = 1, epoch: int | None = None
) -> Chunk:
    """Some batches of a training without changes, all within an epoch."""
    samples = (batch - 1) * size
    return Chunk(
        generation=1,
        epoch=samples // n + 1 if epoch is None else epoch,
        batch=batch,
        update=batch,
        in_update=0,
        samples=samples,
        seconds=batch * 0.03,
        duration=count * 0.03,
        batch_size=size,
        last_batch_size=size,
        accumulation_steps=1,
        lr=0.01,
        losses=np.random.default_rng(batch).normal(0.5, 0.05, count).astype("<f4").tobytes(),
    )
