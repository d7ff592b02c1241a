"""Variants that are rewound, forked, added and removed, as the screen's state has them."""

import numpy as np

from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Evaluation,
    Origin,
    Started,
    VariantAdded,
    VariantRemoved,
    WorkerReplaced,
)
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.chart.scene.polyline import Axis
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


def losses(store: Store, name: str) -> list[float]:
    current = store.variants[name].current
    assert current is not None
    return current.history.polyline(Axis.SAMPLES, 0, 100, 100).low.tolist()


def test_a_rewound_variant_keeps_its_past_and_leaves_its_future_as_a_ghost() -> None:
    store = store_of("A")
    feed(store, "A", started(), chunk(1, 3), evaluation(2), chunk(4, 6), evaluation(5))
    feed(store, "A", started(2, origin(3)), chunk(4, 5, 2, loss=0.5))
    one = store.variants["A"]
    assert losses(store, "A") == [1, 2, 3, 4.5, 5.5]
    assert one.ghost is not None
    assert len(one.ghost.history) == 6
    assert one.current is not None
    assert one.current.evaluations.values[:, 0].tolist() == [2]
    assert one.current.origin == origin(3)
    assert one.tally.batches == 5


def test_settings_that_differ_after_a_rewind_are_marked_there() -> None:
    store = store_of("A")
    changed = Changed(
        generation=1, settings=LARGER, epoch=1, batch=3, update=3, samples=2, seconds=2.0
    )
    feed(store, "A", started(), chunk(1, 2), changed, chunk(3, 6), started(2, origin(4)))
    current = store.variants["A"].current
    assert current is not None
    assert [(mark.samples, mark.after) for mark in current.changes] == [(2, LARGER), (4, SETTINGS)]


def test_a_rewind_that_is_replaced_before_its_first_batch_leaves_no_ghost_of_itself() -> None:
    store = store_of("A")
    feed(store, "A", started(), chunk(1, 6), started(2, origin(3)), started(3, origin(2)))
    ghost = store.variants["A"].ghost
    assert ghost is not None
    assert len(ghost.history) == 6


def test_a_variant_can_go_back_to_a_generation_before_the_last() -> None:
    store = store_of("A")
    feed(store, "A", started(), chunk(1, 6), started(2), chunk(1, 2, 2, loss=0.5))
    feed(store, "A", started(3, origin(6)), chunk(7, 7, 3))
    assert losses(store, "A") == [1, 2, 3, 4, 5, 6, 7]


def test_a_fork_that_is_read_first_waits_for_the_batches_before_it() -> None:
    store = store_of("A", "B")
    feed(store, "B", started(1, origin(3, variant="A")), chunk(4, 5, loss=0.5))
    assert store.variants["B"].current is None
    feed(store, "A", started(), chunk(1, 2))
    assert store.variants["B"].current is None
    feed(store, "A", chunk(3, 6))
    assert losses(store, "B") == [1, 2, 3, 4.5, 5.5]
    assert losses(store, "A") == [1, 2, 3, 4, 5, 6]


def test_forks_of_forks_wait_for_each_other() -> None:
    store = store_of("A", "B", "C")
    feed(store, "C", started(1, origin(4, variant="B")), chunk(5, 5, loss=0.25))
    feed(store, "B", started(1, origin(3, variant="A")), chunk(4, 5, loss=0.5))
    feed(store, "A", started(), chunk(1, 6))
    assert losses(store, "C") == [1, 2, 3, 4.5, 5.25]


def test_a_fork_whose_past_is_in_no_log_says_so_and_is_not_drawn() -> None:
    store = store_of("A", "B")
    feed(store, "B", started(1, origin(10**12, variant="A")), chunk(4, 5))
    feed(store, "A", started(), chunk(1, 2))
    store.settle()
    one = store.variants["B"]
    assert one.current is None
    assert "not in the run's logs" in one.notice


def test_added_variants_follow_and_removed_ones_leave_their_number_but_no_colour() -> None:
    store = store_of("A", "B", "C")
    feed(store, "D", VariantAdded(variant="D", settings=LARGER))
    assert [(one.tally.name, one.index, one.hue) for one in store.states] == [
        ("A", 0, 0), ("B", 1, 1), ("C", 2, 2), ("D", 3, 3),
    ]  # fmt: skip
    feed(store, "B", VariantRemoved(variant="B"))
    assert [(one.tally.name, one.index, one.hue) for one in store.states] == [
        ("A", 0, 0), ("C", 1, 2), ("D", 2, 3),
    ]  # fmt: skip
    feed(store, "B", WorkerReplaced(variant="B", command=1))
    assert [one.tally.name for one in store.states] == ["A", "B", "C", "D"]


def test_the_tenth_variant_takes_a_colour_that_has_become_free() -> None:
    store = store_of(*"ABCDEFGHI")
    feed(store, "D", VariantRemoved(variant="D"))
    feed(store, "J", VariantAdded(variant="J", settings=SETTINGS))
    assert len({one.hue for one in store.states}) == 9
    assert (store.variants["J"].index, store.variants["J"].hue) == (8, 3)
