"""The noise of batch losses, folded from chunks: the same as from all batches at once."""

import math

import numpy as np
import pytest

from engine.log.figures.batch_noise import BatchNoise
from engine.log.records import Chunk, Started
from engine.settings import VariantSettings

N = 400


def began(generation: int = 1) -> Started:
    return Started(
        generation=generation, settings=VariantSettings(), n=N, model="", parameters=1,
        device="cpu", threads=1, epochs=9, pace=None,
    )  # fmt: skip


def chunks(losses: list[float], size: int, cuts: list[int]) -> list[Chunk]:
    """The losses of batches of this size, the last of an epoch shorter, cut at these batches."""
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(losses)], strict=True):
        found.append(
            Chunk(
                generation=1, epoch=1, batch=start + 1, update=start + 1, in_update=0,
                samples=start * size, seconds=0.0, duration=1.0, batch_size=size,
                last_batch_size=size, accumulation_steps=1, lr=0.1,
                losses=np.array(losses[start:stop], "<f4").tobytes(),
            )
        )  # fmt: skip
    return found


def folded(records: list[Chunk]) -> BatchNoise:
    noise = BatchNoise()
    noise.add(began())
    for record in records:
        noise.add(record)
    return noise


def plain(losses: list[float], size: int) -> float:
    """By the definition, batch by batch."""
    level, seen, rest = 0.0, 0.0, []
    for place, loss in enumerate(np.float32(losses).astype(float)):
        share = size / (0.25 * N)
        if seen and place * size >= len(losses) * size - N:
            rest.append(loss - level / -math.expm1(-seen))
        if math.isfinite(loss):
            level += -math.expm1(-share) * (loss - level)
            seen += share
    kept = [each for each in rest if math.isfinite(each)]
    return float(np.std(kept))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_it_is_the_scatter_of_the_last_epoch_around_the_smoothed_loss(size: int) -> None:
    losses = (np.random.default_rng(0).normal(0.5, 0.1, 900) + np.linspace(1, 0, 900)).tolist()
    losses[500] = math.nan
    whole = folded(chunks(losses, size, []))
    assert whole.sigma == pytest.approx(plain(losses, size), rel=1e-9)
    pieces = folded(chunks(losses, size, [1, 2, 100, 517, 899]))
    assert pieces.sigma == pytest.approx(whole.sigma, rel=1e-12)


def test_one_batch_and_the_full_batch_have_none_and_a_restart_begins_anew() -> None:
    assert math.isnan(BatchNoise().sigma)
    assert math.isnan(folded(chunks([0.5], 10, [])).sigma)
    assert math.isnan(folded(chunks([0.9, 0.8, 0.7], N, [1, 2])).sigma)
    noise = folded(chunks([0.9, 0.1] * 50, 10, []))
    noise.add(began(2))
    assert math.isnan(noise.sigma)
