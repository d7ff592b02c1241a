"""The progress of a run in a few figures, from logs as training writes them."""

from collections.abc import Callable

import pytest

from engine.log.directory import RunDirectory
from engine.log.records import State, StateChanged
from engine.log.records.worker import SCRIPT
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


def script(**facts: object) -> Tally:
    """A variant of a script with 10 samples an epoch, 4 epochs planned."""
    tally = Tally("mine", VariantSettings(batch_size=2))
    known = {"model": SCRIPT, "n": 10, "planned_epochs": 4, "state": State.RUNNING, "seconds": 2.0}
    for name, value in {**known, "last_loss": 0.25, **facts}.items():
        setattr(tally, name, value)
    return tally


@pytest.mark.parametrize(
    ("facts", "done", "planned", "left"),
    [
        ({"epoch": 2, "samples": 14}, 1.4, 4, 2.0 * 2.6 / 1.4),
        ({"epoch": 4, "samples": 40, "state": State.FINISHED}, 4.0, 4, None),
        ({"epoch": 3, "samples": 24, "state": State.PAUSED}, 2.4, 4, None),
        # Without the incomplete batch, an epoch has 9 samples.
        (
            {
                "epoch": 2,
                "samples": 12,
                "settings": VariantSettings(batch_size=3, drop_last=True),
            },
            1 + 3 / 9,
            4,
            2.0 * (3 - 3 / 9) / (1 + 3 / 9),
        ),
        # A stream: whole epochs alone are known.
        ({"epoch": 3, "samples": 27, "assumed": ("epoch",)}, 2.0, 4, 2.0),
        # A loop that has not said how many epochs it trains.
        (
            {"epoch": 3, "samples": 25, "planned_epochs": 1, "assumed": ("planned_epochs",)},
            2.5,
            0,
            None,
        ),
    ],
)
def test_a_script_has_its_epochs_with_their_fraction_and_its_last_loss(
    facts: dict[str, object], done: float, planned: int, left: float | None
) -> None:
    found = progress_of([script(**facts)])
    assert (found.epochs_done, found.epochs) == (pytest.approx(done), int(done))
    assert (found.planned_epochs, found.last_loss, found.steps) == (planned, 0.25, None)
    assert found.seconds_left == (None if left is None else pytest.approx(left))


def test_a_script_without_epochs_has_its_updates() -> None:
    found = progress_of(
        [script(epoch=1, updates=7, planned_epochs=1, assumed=("epoch", "planned_epochs"))]
    )
    assert (found.planned_epochs, found.steps, found.seconds_left) == (0, 7, None)


def test_scripts_of_one_run_have_the_progress_of_the_slowest_and_the_lowest_loss() -> None:
    found = progress_of(
        [script(epoch=3, samples=22), script(epoch=2, samples=11, last_loss=float("nan"))]
    )
    assert (found.epochs_done, found.last_loss) == (pytest.approx(1.1), 0.25)
