"""The progress of a run in a few figures, from logs as training writes them."""

from collections.abc import Callable

import pytest

from engine.log.directory import RunDirectory
from engine.log.records import State, StateChanged
from engine.log.summary import Tally
from engine.programs import PROGRAM
from engine.settings import VariantSettings
from gdtui.state.stored.progress import RunProgress, progress_of, progress_of_arms
from gdtui.state.stored_runs import RunReader

MakeRun = Callable[..., RunDirectory]


def progress(run: RunDirectory) -> RunProgress:
    return RunReader(run).progress()


def test_a_finished_run_has_its_epochs_its_lr_and_its_lowest_loss(make_run: MakeRun) -> None:
    found = progress(make_run(epochs=3))
    assert (found.epochs, found.planned_epochs, found.lr) == (3, 3, (0.01, 0.01))
    assert (found.best in ("Mini-batch", "SGD"), found.seconds_left) == (True, None)
    assert found.loss is not None


def test_a_variant_that_diverged_has_no_lowest_loss(make_run: MakeRun) -> None:
    found = progress(make_run(state=State.DIVERGED))
    assert (found.loss, found.best) == (None, "")


@pytest.mark.parametrize(
    ("state", "is_paused"), [(State.RUNNING, False), (State.PAUSED, True), (State.STOPPED, False)]
)
def test_only_a_run_that_is_under_way_is_paused(
    make_run: MakeRun, state: State, is_paused: bool
) -> None:
    assert progress(make_run(state=state, is_ended=False)).is_paused is is_paused


def test_the_time_left_is_that_of_the_speed_so_far(make_run: MakeRun) -> None:
    reader = RunReader(make_run(epochs=2, state=State.RUNNING, is_ended=False))
    reader.progress()
    tallies = reader.tallies
    for tally in tallies:
        tally.planned_epochs = 8  # 2 of them took 2 seconds
    assert progress_of(tallies).seconds_left == pytest.approx(6)
    tallies[0].pace = 0.5
    assert progress_of(tallies).seconds_left == pytest.approx(12)
    tallies[0].state = State.PAUSED
    assert progress_of(tallies).seconds_left is None
    tallies[0].state = State.FINISHED
    assert progress_of(tallies).seconds_left == pytest.approx(6)


def test_a_sweep_has_the_lowest_loss_and_all_lrs_of_its_arms() -> None:
    arms = [
        RunProgress(lr=(0.1, 0.1), loss=0.5, best="a"),
        None,
        RunProgress(lr=(0.2, 0.3), loss=0.0, best="b"),
        RunProgress(),
    ]
    found = progress_of_arms(arms)
    assert (found.lr, found.loss, found.best) == ((0.1, 0.3), 0.0, "b")
    assert progress_of_arms([]) == RunProgress()


def test_a_program_has_steps_a_last_loss_and_no_lr_that_it_did_not_print() -> None:
    tally = Tally("train", VariantSettings(batch_size=1))
    tally.device, tally.assumed = PROGRAM, ("epoch", "lr")
    tally.n, tally.updates, tally.last_loss, tally.planned_epochs = 1000, 40, 0.5, 1
    tally.add(StateChanged(generation=1, state=State.FAILED, exit_status=-9))
    found = progress_of([tally])
    assert (found.steps, found.last_loss, found.exit_status) == (40, 0.5, -9)
    assert (found.planned_epochs, found.lr) == (0, None)
