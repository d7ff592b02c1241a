"""Variants that are rewound, forked, added and removed, as the screen's state has them."""

from lineage import LARGER, SETTINGS, chunk, evaluation, feed, origin, started, store_of
from msgspec.structs import replace

from engine.log.records import (
    Changed,
    State,
    StateChanged,
    VariantAdded,
    VariantRemoved,
    WorkerReplaced,
)
from engine.programs import PROGRAM
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.chart.scene.polyline import Axis
from gdtui.state.store import Store
from gdtui.view.charts.marks import marks_of
from gdtui.view.charts.words import activity, points_told
from gdtui.view.text.caveats.imported import has_epochs, is_foreign, is_made_up
from gdtui.view.text.panel.figures import rows
from gdtui.view.view_state import ViewState


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


def test_a_programs_training_that_goes_on_leaves_no_ghost() -> None:
    store = store_of("A")
    feed(store, "A", started(), chunk(1, 6))
    feed(store, "A", replace(started(2), device=PROGRAM), chunk(1, 2, 2))
    feed(store, "A", replace(started(3, origin(3)), device=PROGRAM), chunk(4, 5, 3))
    one = store.variants["A"]
    assert one.ghost is None
    assert one.current is not None
    assert [mark.label for mark in marks_of(one, one.current, ViewState())] == ["same training"]


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


def test_a_program_that_has_printed_no_loss_shows_no_settings_that_it_may_not_have() -> None:
    variant = Variant(name="train", settings=VariantSettings(batch_size=1))
    store = Store(RunSettings(variants=(variant,), problem="train.py", epochs=1, device=PROGRAM))
    (one,) = store.states
    assert is_foreign(one)
    assert is_made_up(one, "batch")
    assert is_made_up(one, "lr")
    assert not has_epochs(store)
    assert points_told(store) == ""
    one.add(StateChanged(generation=0, state=State.RUNNING))
    assert activity(one) == "no loss has been printed yet"
    said = str(rows(one, store, 0.25, width=100, height=4))
    assert "all data" not in said
