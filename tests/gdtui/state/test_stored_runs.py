"""Stored runs are told apart by what their files and locks say.

What is still going is never removed.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from canary import PLANTS, CanaryTree

from engine.log.directory import RunDirectory, data_path
from engine.log.filesystem.safe_open import UnsafeFileError
from engine.log.records import State
from engine.settings import DEFAULT_BATCH_SIZES, RunSettings, Variant, VariantSettings
from gdtui.state.stored_runs import RunState, discard, is_running, remove, state_of, stored_runs

MakeRun = Callable[..., RunDirectory]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.FINISHED, RunState.FINISHED),
        (State.DIVERGED, RunState.FINISHED),
        (State.STOPPED, RunState.STOPPED),
        (State.FAILED, RunState.FAILED),
        (State.OUT_OF_MEMORY, RunState.FAILED),
    ],
)
def test_an_ended_run_is_what_its_variants_came_to(
    state: State, expected: RunState, make_run: MakeRun
) -> None:
    assert state_of(make_run(state=state)) is expected


def test_a_log_without_an_end(make_run: MakeRun) -> None:
    assert state_of(make_run(is_ended=False)) is RunState.ENDED_EARLY


def test_a_damaged_log(make_run: MakeRun) -> None:
    run = make_run()
    log = run.variant_log("SGD")
    data = bytearray(log.read_bytes())
    data[20] ^= 1
    log.write_bytes(data)
    assert state_of(run) is RunState.DAMAGED


def test_a_run_whose_log_is_held(running_run: RunDirectory) -> None:
    assert state_of(running_run) is RunState.RUNNING


def test_a_run_that_is_about_to_start(tmp_path: Path) -> None:
    variants = tuple(
        Variant(name=str(size), settings=VariantSettings(batch_size=size))
        for size in DEFAULT_BATCH_SIZES
    )
    assert is_running(RunDirectory.create(tmp_path / "new", RunSettings(variants=variants), "0"))


def test_only_files_of_the_run_are_removed(make_run: MakeRun) -> None:
    run = make_run()
    (run.path / "1-mini-batch.out").touch()
    (run.path / "data").mkdir()
    mine = ("notes.txt", "nohup.out", "net.weights", "data/train.pt")
    for name in mine:
        (run.path / name).write_text("mine")
    remove(run.path)
    assert {file for file in run.path.rglob("*") if file.is_file()} == {
        run.path / name for name in mine
    }


def test_what_is_just_being_loaded_is_neither_listed_nor_removed(
    leftover: Path, runs_root: Path
) -> None:
    """Between two steps nobody holds the file."""
    (data_path(leftover) / "validation.pt").touch()
    assert stored_runs(runs_root) == []


def test_data_that_a_killed_run_of_an_earlier_version_left_is_counted_and_removed(
    make_run: MakeRun, runs_root: Path
) -> None:
    run = make_run(runs_root / "killed")
    data_path(run.path).mkdir()
    (data_path(run.path) / "train.pt").write_bytes(bytes(10**6))
    (data_path(run.path) / "problem.pickle").touch()
    (stored,) = stored_runs(runs_root)
    assert stored.bytes > 10**6
    remove(run.path)
    assert not run.path.exists()


@pytest.mark.parametrize(
    "name", [".tensors", "1-mini-batch.weights", "2-sgd.out", "session.gdlog", "workers.out"]
)
@pytest.mark.parametrize("plant", ["a link", "a link to nothing", "a FIFO"])
def test_a_run_with_a_link_in_it_stays_whole(
    name: str, plant: str, make_run: MakeRun, runs_root: Path, tmp_path: Path
) -> None:
    canary = CanaryTree(tmp_path / "outside")
    run = make_run(runs_root / "run")
    (run.path / name).unlink(missing_ok=True)
    PLANTS[plant](run.path / name, canary.folder if name == ".tensors" else canary.file)
    before = sorted(run.path.iterdir())
    (stored,) = stored_runs(runs_root)
    assert stored.bytes < 10_000
    with pytest.raises(UnsafeFileError, match="nothing of the run was removed"):
        remove(stored.path)
    assert sorted(run.path.iterdir()) == before
    canary.check()


def test_a_run_that_has_become_a_link_is_not_removed(
    make_run: MakeRun, runs_root: Path, tmp_path: Path
) -> None:
    """Between the question and the answer."""
    run = make_run(runs_root / "run")
    run.path.rename(tmp_path / "kept")
    run.path.symlink_to(tmp_path / "kept")
    with pytest.raises(UnsafeFileError):
        remove(run.path)
    assert (tmp_path / "kept" / "run.json").exists()


def test_what_was_begun_by_way_of_a_link_of_the_users_is_removed_again(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run()
    (tmp_path / "latest").symlink_to(run.path)
    discard(tmp_path / "latest")
    assert not run.path.exists()
    discard(run.path)
