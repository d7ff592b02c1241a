"""Memory of the screen's state: no epoch costs any, however many go by."""

import tracemalloc

import numpy as np
import pytest
from msgspec.structs import replace
from plain_chunks import plain_chunk

from engine.log.records import Chunk, Evaluation, Started, State, StateChanged
from engine.settings import FULL, RunSettings, Variant, VariantSettings
from gdtui.chart.scene.polyline import Axis
from gdtui.state.store import Store

N = 2_000
SETTINGS = VariantSettings(batch_size=FULL)


@pytest.fixture
def store() -> Store:
    """A run that is about to train."""
    store = Store(RunSettings(variants=(Variant(name="a", settings=SETTINGS),), epochs=10**9))
    store.add(
        "a",
        Started(
            generation=1, settings=SETTINGS, n=N, model="", parameters=1, device="cpu", threads=1,
            epochs=10**9, pace=None,
        ),
    )  # fmt: skip
    store.add("a", evaluation(0))
    store.add("a", StateChanged(generation=1, state=State.RUNNING))
    return store


def evaluation(epoch: int) -> Evaluation:
    return Evaluation(
        generation=1,
        epoch=epoch,
        batches=epoch,
        updates=epoch,
        samples=N * epoch,
        seconds=0.03 * epoch,
        full_loss=1 / (1 + epoch),
        validation_loss=2 / (1 + epoch),
        metrics={"accuracy": 0.5},
    )


CHUNK = plain_chunk(1, 1, size=N)


def chunk(epoch: int) -> Chunk:
    return replace(
        CHUNK, epoch=epoch, batch=epoch, update=epoch, samples=N * (epoch - 1), seconds=0.03 * epoch
    )


def train(store: Store, first: int, count: int) -> None:
    """Epochs of one batch each, as old logs have them: a chunk and an evaluation for each."""
    for epoch in range(first, first + count):
        store.add("a", chunk(epoch))
        store.add("a", evaluation(epoch))


def test_epochs_of_a_record_each_cost_no_memory(store: Store) -> None:
    train(store, 1, 10_000)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    train(store, 10_001, 2_500)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    losses_and_seconds = 4 + 2 + 16 + 8
    assert after - before <= 2_500 * losses_and_seconds * 4  # arrays grow ahead of what they hold


def test_figures_marks_and_points_stay_exact_where_they_are_read(store: Store) -> None:
    train(store, 1, 12_000)
    one = store.variants["a"]
    tally, now = one.tally, one.current
    assert now is not None
    assert (len(tally.epoch_losses), tally.updates, tally.samples) == (12_000, 12_000, 12_000 * N)
    assert (tally.full_loss, tally.full_loss_epoch) == (1 / 12_001, 12_000)
    assert (tally.loss_at_start, tally.validation_loss) == (1.0, 2 / 12_001)
    assert tally.generalisation_gap == pytest.approx(1 / 12_001)
    assert tally.final_loss == np.frombuffer(CHUNK.losses, "<f4")[0]
    points = now.evaluations.values
    assert points[0].tolist() == [0, 0, 0, 1.0]
    assert points[-1].tolist() == [12_000 * N, 12_000, 0.03 * 12_000, 1 / 12_001]
    assert len(points) <= 8_192
    assert now.history.epoch_ends(Axis.UPDATES, 11_990.5, 3) == [11_991, 11_992, 11_993]
