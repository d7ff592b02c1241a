"""Logs of trainings that are long enough for a preview, without training."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from engine.log.directory import RunDirectory
from engine.log.file import MAGIC, frame
from engine.log.records import Chunk, Evaluation, Origin, Record, Started, State, StateChanged
from engine.settings import RunSettings, Variant, VariantSettings

N = 400
"""Samples in an epoch."""
LONG = 200
"""Batches in most chunks."""


def begun(
    generation: int = 1, size: int = 1, origin: Origin | None = None, epochs: int = 100
) -> Iterator[Record]:
    yield Started(
        generation=generation, settings=VariantSettings(batch_size=size), n=N, model="m",
        parameters=1, device="cpu", threads=1, epochs=epochs, pace=None, origin=origin,
    )  # fmt: skip
    yield StateChanged(generation=generation, state=State.RUNNING)


def trained(
    batches: int, *, generation: int = 1, after: int = 0, size: int = 1, level: float = 0.0
) -> Iterator[Record]:
    """Batches after a batch, of this many samples each; their losses fall from 1 + `level`."""
    rng = np.random.default_rng(generation)
    first = after + 1
    while first <= after + batches:
        samples = (first - 1) * size
        epoch, start = divmod(samples, N)
        length = min(LONG, (N - start) // size, after + batches - first + 1)
        at = samples + np.arange(length) * size
        losses = level + 1 / (1 + at / 4_000) + rng.normal(0, 0.02, length)
        yield Chunk(
            generation=generation, epoch=epoch + 1, batch=first, update=first, in_update=0,
            samples=samples, seconds=samples / 1_000, duration=length * size / 1_000,
            batch_size=size, last_batch_size=size, accumulation_steps=1, lr=0.01,
            losses=losses.astype("<f4").tobytes(),
        )  # fmt: skip
        first += length
        end = (first - 1) * size
        if end % N == 0:
            yield Evaluation(
                generation=generation, epoch=epoch + 1, batches=first - 1, updates=first - 1,
                samples=end, seconds=end / 1_000, full_loss=level + 1 / (1 + end / 4_000),
            )  # fmt: skip


def origin_at(batches: int, generation: int = 1, variant: str = "") -> Origin:
    """The point after this batch of one sample."""
    epoch, rest = divmod(batches, N)
    return Origin(
        variant=variant, generation=generation, batches=batches, epoch=epoch + bool(rest),
        updates=batches, samples=batches, seconds=batches / 1_000, epoch_batches=rest,
    )  # fmt: skip


def long_run(path: Path, *logs: Sequence[Record], session: Sequence[Record] = ()) -> RunDirectory:
    """A run of variants A, B, … with these logs, which no process writes."""
    variants = tuple(
        Variant(name=chr(code), settings=VariantSettings(batch_size=1))
        for code, _ in zip(count(ord("A")), logs, strict=False)
    )
    run = RunDirectory.create(path, RunSettings(variants=variants, epochs=100), "0")
    for variant, records in zip(variants, logs, strict=True):
        run.variant_log(variant.name).write_bytes(MAGIC + b"".join(map(frame, records)))
    run.session_log.write_bytes(MAGIC + b"".join(map(frame, session)))
    run.custody.release()
    return run
