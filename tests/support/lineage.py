"""Records of variants that are rewound and forked, one sample a batch."""

import numpy as np

from engine.log.records import AnyRecord, Chunk, Evaluation, Origin, Started
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.state.store import Store

SETTINGS = VariantSettings(batch_size=1)
LARGER = VariantSettings(batch_size=2)


def store_of(*names: str) -> Store:
    variants = tuple(Variant(name=name, settings=SETTINGS) for name in names)
    return Store(RunSettings(variants=variants, epochs=1))


def started(
    generation: int = 1, origin: Origin | None = None, settings: VariantSettings = SETTINGS
) -> Started:
    return Started(
        generation=generation, settings=settings, n=100, model="m", parameters=1, device="cpu",
        threads=1, epochs=1, pace=None, origin=origin,
    )  # fmt: skip


def chunk(first: int, last: int, generation: int = 1, loss: float = 0.0) -> Chunk:
    """Batches first…last of one sample each; the loss of batch b is b + `loss`."""
    losses = np.arange(first, last + 1, dtype="<f4") + np.float32(loss)
    return Chunk(
        generation=generation, epoch=1, batch=first, update=first, in_update=0, samples=first - 1,
        seconds=float(first), duration=float(last - first + 1), batch_size=1, last_batch_size=1,
        accumulation_steps=1, lr=0.1, losses=losses.tobytes(),
    )  # fmt: skip


def evaluation(samples: int) -> Evaluation:
    return Evaluation(
        generation=1, epoch=1, batches=samples, updates=samples, samples=samples,
        seconds=float(samples), full_loss=float(samples),
    )  # fmt: skip


def origin(batches: int, generation: int = 1, variant: str = "") -> Origin:
    return Origin(
        variant=variant, generation=generation, batches=batches, epoch=1, updates=batches,
        samples=batches, seconds=float(batches), epoch_batches=batches,
    )  # fmt: skip


def feed(store: Store, name: str, *records: AnyRecord) -> None:
    for record in records:
        store.add(name, record)
