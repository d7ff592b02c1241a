"""The tally of a log: the lesson's figures, of the latest generation only."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.log.records import (
    Changed,
    Chunk,
    Evaluation,
    Planned,
    Refused,
    Started,
    State,
    StateChanged,
    WorkerDied,
    WorkerReplaced,
)
from engine.log.summary import Tally
from engine.settings import LossAudit, LossAverage, LossKind, VariantSettings

SETTINGS = VariantSettings(batch_size=2)


def started(generation: int = 1) -> Started:
    return Started(
        generation=generation,
        settings=SETTINGS,
        n=5,
        model="Linear(1,1)",
        parameters=2,
        device="cpu",
        threads=1,
        epochs=2,
        pace=1.0,
        wall_time=0.0,
    )


def epoch(number: int, losses: list[float], *, steps: int = 2) -> list[Chunk | Evaluation]:
    """One epoch of batches 2, 2 and 1 in a chunk, and its evaluation."""
    chunk = Chunk(
        generation=1,
        epoch=number,
        batch=3 * number - 2,
        update=2 * number - 1,
        in_update=0,
        samples=5 * (number - 1),
        seconds=number - 1.0,
        duration=1.0,
        batch_size=2,
        last_batch_size=1,
        accumulation_steps=steps,
        lr=0.01,
        behind=number == 2,
        losses=np.array(losses, "<f4").tobytes(),
    )
    done = Evaluation(
        generation=1,
        epoch=number,
        batches=3 * number,
        updates=2 * number,
        samples=5 * number,
        seconds=float(number),
        full_loss=1 / number,
    )
    return [chunk, done]


def tally_of(*records: object) -> Tally:
    tally = Tally(name="a", settings=VariantSettings())
    for record in records:
        tally.add(record)  # type: ignore[arg-type]
    return tally


def test_the_lessons_figures() -> None:
    """A short last batch weighs as much as the others, as in the lesson's np.mean."""
    tally = tally_of(started(), *epoch(1, [3.0, 2.0, 1.0]), *epoch(2, [1.0, 1.0, 0.5]))
    losses = tally.epoch_losses.losses.tolist()
    assert losses == pytest.approx([2.0, 2.5 / 3])
    assert tally.final_loss == losses[-1]
    assert tally.std == pytest.approx(np.std(losses))
    assert tally.variance == pytest.approx(np.var(losses))
    assert tally.full_loss == 0.5
    assert (tally.batches, tally.updates, tally.samples, tally.epoch) == (6, 4, 10, 2)
    assert (tally.seconds, tally.last_loss, tally.behind) == (2.0, 0.5, True)


def test_an_update_counts_when_its_group_is_closed() -> None:
    chunk, evaluation = epoch(1, [3.0, 2.0, 1.0])
    tally = tally_of(started(), chunk)
    assert tally.updates == 1
    tally.add(evaluation)
    assert tally.updates == 2, "the epoch's end closes the short group"


def test_a_loss_on_all_data_that_was_left_out_leaves_the_one_before() -> None:
    """The gap is of one and the same weights."""
    first, second = (*epoch(1, [3.0, 2.0, 1.0]), *epoch(2, [1.0, 1.0, 0.5]))[1::2]
    first = replace(first, full_loss=1.0, validation_loss=1.5)
    tally = tally_of(started(), first, replace(second, full_loss=None, validation_loss=1.25))
    assert (tally.full_loss, tally.validation_loss, tally.generalisation_gap) == (1.0, 1.25, 0.5)
    assert (tally.full_loss_epoch, tally.is_full_loss_old) == (1, True)
    tally.add(replace(second, epoch=3, full_loss=0.25))
    assert (tally.full_loss, tally.full_loss_epoch, tally.is_full_loss_old) == (0.25, 3, False)


def test_a_new_generation_begins_at_nothing() -> None:
    tally = tally_of(started(), *epoch(1, [3.0, 2.0, 1.0]), started(2))
    assert (tally.generation, tally.batches, tally.samples, tally.seconds) == (2, 0, 0, 0.0)
    assert len(tally.epoch_losses) == 0
    assert math.isnan(tally.full_loss)
    assert math.isnan(tally.last_loss)


def test_losses_that_are_not_finite_have_no_spread() -> None:
    tally = tally_of(started(), *epoch(1, [3.0, math.nan, 1.0]))
    assert math.isnan(tally.final_loss)
    assert math.isnan(tally.std)
    assert math.isnan(tally.variance)
    assert math.isnan(tally_of().variance)


def test_states_plans_and_deaths() -> None:
    tally = tally_of(
        started(),
        StateChanged(
            generation=1, state=State.FAILED, wall_time=0, detail="d", is_usage_error=True
        ),
        Planned(epochs=9, pace=None, command=1),
        Refused(detail="no", command=2),
    )
    assert (tally.state, tally.detail, tally.is_usage_error) == (State.FAILED, "d", True)
    assert (tally.planned_epochs, tally.pace) == (9, None)
    assert tally.resolved == SETTINGS.resolve(5)
    tally.add(WorkerDied(variant="a", wall_time=0, detail="gone"))
    assert (tally.state, tally.detail) == (State.DIED, "gone")


def said(state: State, worker: int = 0, wall_time: float = 0.0) -> StateChanged:
    return StateChanged(generation=worker or 1, state=state, worker=worker, wall_time=wall_time)


def died(worker: int = 0, wall_time: float = 0.0) -> WorkerDied:
    return WorkerDied(variant="a", detail="gone", worker=worker, wall_time=wall_time)


def replaced() -> WorkerReplaced:
    return WorkerReplaced(variant="a", command=0)


def test_a_death_that_is_read_late_does_not_undo_the_restart_after_it() -> None:
    tally = tally_of(started(), said(State.RUNNING, 1), said(State.FINISHED, 2), died(1))
    assert tally.state is State.FINISHED
    tally.add(died(2))
    assert (tally.state, tally.detail) == (State.DIED, "gone")


def test_a_death_that_is_read_early_holds_against_what_its_worker_wrote_before() -> None:
    tally = tally_of(started(), died(1), said(State.RUNNING, 1))
    assert (tally.state, tally.detail) == (State.DIED, "gone")
    tally.add(replaced())
    assert tally.state is State.DIED, "until the next one says something"
    tally.add(said(State.STARTING, 2))
    assert (tally.state, tally.detail) == (State.STARTING, "")


@given(st.lists(st.floats(0, 1e10), min_size=6, max_size=6), st.permutations(range(4)))
def test_no_clock_and_no_order_of_reading_decides_about_a_death(
    times: list[float], order: list[int]
) -> None:
    """Two logs, each in its own order, read in any mixture: the second worker has died, too."""
    own = iter([said(State.RUNNING, 1, times[0]), said(State.RUNNING, 2, times[1])])
    others = iter([died(1, times[2]), died(2, times[3])])
    tally = tally_of(*(next(own if place < 2 else others) for place in order))
    assert tally.state is State.DIED


@given(st.lists(st.floats(0, 1e10), min_size=4, max_size=4))
def test_in_logs_of_older_versions_the_replacement_tells_what_came_first(
    times: list[float],
) -> None:
    """They have no numbers. All of a variant's log may be read before the session's."""
    own = [said(State.RUNNING, wall_time=times[0]), said(State.PAUSED, wall_time=times[1])]
    assert tally_of(*own, died(0, times[2])).state is State.DIED
    assert tally_of(*own, died(0, times[2]), replaced()).state is State.PAUSED
    assert tally_of(*own, died(0, times[2]), replaced(), died(0, times[3])).state is State.DIED
    assert tally_of(own[0], died(0, times[2]), own[1]).state is State.DIED


# --- Batches without weight, and batches that are not the big one ---------------------------------


def test_an_epochs_loss_leaves_out_batches_without_weight() -> None:
    tally = Tally("x", SETTINGS)
    tally.add(started())
    chunk, end = epoch(1, [0.0, 3.0, 0.0])
    tally.add(replace(chunk, weightless=(0, 2)))
    tally.add(end)
    assert list(tally.epoch_losses.losses) == [3.0]
    assert tally.final_loss == 3.0
    chunk, end = epoch(2, [0.0, 0.0, 0.0])
    tally.add(replace(chunk, weightless=(0, 1, 2)))
    tally.add(end)
    assert len(tally.epoch_losses) == 2
    assert math.isnan(tally.final_loss)
    assert tally.last_loss != 0


def test_a_sum_has_no_generalisation_gap() -> None:
    for is_sum, gap in ((False, 0.5), (True, math.nan)):
        tally = Tally("x", SETTINGS)
        tally.add(replace(started(), average=LossAverage(over="samples", is_sum=is_sum)))
        _, end = epoch(1, [1.0, 1.0, 1.0])
        assert isinstance(end, Evaluation)
        tally.add(replace(end, full_loss=1.0, validation_loss=1.5))
        assert tally.generalisation_gap == pytest.approx(gap, nan_ok=True)


AUDITS = {
    kind: LossAudit(kind=kind, samples=16, part=4) for kind in (LossKind.EXACT, LossKind.BATCH)
}


@pytest.mark.parametrize(
    ("settings", "micro_batch", "kind", "is_big_batch"),
    [
        (SETTINGS, None, LossKind.BATCH, True),
        (SETTINGS, 2, LossKind.BATCH, True),
        (SETTINGS, 1, LossKind.BATCH, False),
        (VariantSettings(batch_size=2, accumulation_steps=2), None, LossKind.BATCH, False),
        (VariantSettings(batch_size=2, accumulation_steps=2), None, LossKind.EXACT, True),
        (VariantSettings(batch_size=2, accumulation_steps=2), None, None, None),
        (SETTINGS, 1, None, None),
    ],
)
def test_what_is_put_together_is_the_big_batch_as_the_audit_found(
    settings: VariantSettings,
    micro_batch: int | None,
    kind: LossKind | None,
    is_big_batch: bool | None,
) -> None:
    tally = Tally("x", settings)
    assert tally.is_big_batch is None, "before its data are loaded"
    begin = replace(started(), settings=settings, micro_batch=micro_batch)
    tally.add(replace(begin, audit=None if kind is None else AUDITS[kind]))
    assert tally.is_big_batch is is_big_batch


def test_a_step_back_into_pieces_is_one_that_counts() -> None:
    tally = Tally("x", SETTINGS)
    tally.add(replace(started(), audit=AUDITS[LossKind.BATCH]))
    assert tally.is_big_batch is True
    tally.add(
        Changed(
            generation=1,
            settings=SETTINGS,
            epoch=1,
            batch=2,
            update=2,
            samples=2,
            seconds=0.0,
            micro_batch=1,
        )
    )
    assert tally.is_big_batch is False
