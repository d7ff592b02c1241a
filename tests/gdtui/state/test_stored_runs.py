"""Stored runs are told apart by what their files and locks say.

What is still going is never removed.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from canary import PLANTS, CanaryTree

from engine.log.directory import RunDirectory, data_path, reserved
from engine.log.filesystem.safe_open import UnsafeFileError
from engine.log.format import FORMAT
from engine.log.records import State
from engine.log.writing.writer import LogWriter
from engine.settings import DEFAULT_BATCH_SIZES, RunSettings, Variant, VariantSettings
from engine.sweep.directory import SweepDirectory, sweep_file
from gdtui.state.runs.removal import discard, has_ended, remove, remove_stored
from gdtui.state.stored_runs import RunKind, RunState, is_running, state_of, stored_runs

MakeRun = Callable[..., RunDirectory]
MakeSweep = Callable[..., SweepDirectory]


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


def begun(path: Path) -> RunDirectory:
    variants = tuple(
        Variant(name=str(size), settings=VariantSettings(batch_size=size))
        for size in DEFAULT_BATCH_SIZES
    )
    return RunDirectory.create(path, RunSettings(variants=variants), "0")


@pytest.mark.parametrize("step", [-3600.0, -5.0, 0.0, 3600.0])
def test_a_run_that_is_about_to_start(
    step: float, runs_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the clock says: who has begun it holds its directory."""
    run = begun(runs_root / "new")
    now = time.time() + step
    monkeypatch.setattr("time.time", lambda: now)
    assert is_running(run)
    assert [each.state for each in stored_runs(runs_root)] == [RunState.RUNNING]
    run.custody.release()
    assert not is_running(run)


def test_a_run_whose_process_is_gone_is_not_about_to_start(runs_root: Path) -> None:
    begun(runs_root / "new")
    assert [each.state for each in stored_runs(runs_root)] == [RunState.ENDED_EARLY]


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


def test_what_is_being_loaded_is_neither_listed_nor_removed(runs_root: Path) -> None:
    with reserved(runs_root / "loading"):
        assert stored_runs(runs_root) == []
    (left,) = stored_runs(runs_root)
    assert left.state is RunState.NEVER_BEGAN, "nobody is there any more"


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


# --- Sweeps ---------------------------------------------------------------------------------------


def test_a_sweep_is_listed_as_one_with_its_arms(
    make_run: MakeRun, make_sweep: MakeSweep, runs_root: Path
) -> None:
    make_run(runs_root / "before")
    sweep = make_sweep(runs_root / "sweep")
    make_run(runs_root / "after")
    after, listed, before = stored_runs(runs_root)
    assert [run.kind for run in (after, listed, before)] == [
        RunKind.RUN,
        RunKind.SWEEP,
        RunKind.RUN,
    ]
    assert [arm.path for arm in listed.arms] == sweep.arm_paths
    assert (listed.variants, listed.state) == (
        ("SGD", "Mini-batch 32", "Batch GD"),
        RunState.FINISHED,
    )
    assert listed.created == sweep.info.created
    files = [file for file in sweep.path.rglob("*") if file.is_file()]
    assert listed.bytes == sum(file.stat().st_size for file in files)
    assert before.arms == ()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, RunState.FINISHED),
        ({"begun": 2}, RunState.FINISHED),  # left out, since full stands for it
        ({"state": State.OUT_OF_MEMORY}, RunState.FINISHED),  # a row of the table, all the same
        ({"begun": 2, "is_complete": False}, RunState.ENDED_EARLY),
        ({"is_complete": False, "is_ended": False}, RunState.ENDED_EARLY),
        ({"is_complete": False, "state": State.STOPPED}, RunState.STOPPED),
        ({"is_complete": False, "state": State.FAILED}, RunState.FAILED),
    ],
)
def test_the_state_of_a_sweep(
    options: dict[str, Any], expected: RunState, make_sweep: MakeSweep, runs_root: Path
) -> None:
    make_sweep(runs_root / "sweep", **options)
    assert stored_runs(runs_root)[0].state is expected


def test_a_sweep_between_two_arms_is_running_and_not_removed(
    make_sweep: MakeSweep, runs_root: Path
) -> None:
    sweep = make_sweep(runs_root / "sweep", begun=1)
    (ended,) = stored_runs(runs_root)
    with sweep:
        (listed,) = stored_runs(runs_root)
        assert listed.state is RunState.RUNNING
        assert not remove_stored(ended)
    assert sweep_file(sweep.path).exists()
    assert len(sweep.arm_paths) == 1


def test_a_sweep_is_removed_whole_but_for_what_is_the_users(
    make_sweep: MakeSweep, runs_root: Path
) -> None:
    make_sweep(runs_root / "one")
    make_sweep(runs_root / "two")
    (runs_root / "two" / "sgd" / "notes.txt").write_text("mine")
    assert all(map(remove_stored, stored_runs(runs_root)))
    assert stored_runs(runs_root) == []
    assert [file for file in runs_root.rglob("*") if file.is_file()] == [
        runs_root / "two" / "sgd" / "notes.txt"
    ]


def test_a_sweep_whose_file_is_damaged_is_listed_so_and_can_be_removed(
    make_sweep: MakeSweep, runs_root: Path
) -> None:
    sweep_file(make_sweep(runs_root / "sweep").path).write_text("{")
    (listed,) = stored_runs(runs_root)
    assert (listed.kind, listed.state, len(listed.arms)) == (RunKind.SWEEP, RunState.DAMAGED, 3)
    assert remove_stored(listed)
    assert list(runs_root.iterdir()) == []


@pytest.mark.parametrize("file", ["sweep.json", "sgd/run.json"])
def test_a_sweep_of_a_later_gdtui_is_kept(
    file: str, make_sweep: MakeSweep, runs_root: Path
) -> None:
    path = make_sweep(runs_root / "sweep").path / file
    path.write_text(path.read_text().replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}'))
    (listed,) = stored_runs(runs_root)
    assert listed.state is RunState.NEWER_FORMAT
    assert not remove_stored(listed)
    assert len(stored_runs(runs_root)[0].arms) == 3


def test_a_link_in_the_place_of_a_sweeps_file_keeps_all_of_it(
    make_sweep: MakeSweep, runs_root: Path, tmp_path: Path
) -> None:
    sweep = make_sweep(runs_root / "sweep")
    sweep_file(sweep.path).rename(tmp_path / "elsewhere.json")
    sweep_file(sweep.path).symlink_to(tmp_path / "elsewhere.json")
    (listed,) = stored_runs(runs_root)
    with pytest.raises(UnsafeFileError):
        remove_stored(listed)
    assert len(listed.arms) == 3
    assert all((arm.path / "run.json").exists() for arm in listed.arms)
    assert (tmp_path / "elsewhere.json").exists()


def test_a_link_among_the_arms_is_no_arm(
    make_run: MakeRun, make_sweep: MakeSweep, runs_root: Path, tmp_path: Path
) -> None:
    sweep = make_sweep(runs_root / "sweep", begun=2)
    elsewhere = make_run(tmp_path / "elsewhere", names=("Batch GD",))
    (sweep.path / "batch-gd").symlink_to(elsewhere.path)
    (listed,) = stored_runs(runs_root)
    assert len(listed.arms) == 2
    remove_stored(listed)
    assert (elsewhere.path / "run.json").exists()


def test_logs_whose_run_json_is_gone_are_listed_as_damaged(
    make_run: MakeRun, runs_root: Path
) -> None:
    """A loader that was killed leaves no logs: these are somebody's results."""
    run = make_run(runs_root / "headless")
    run.server_output.touch()
    (run.path / "run.json").unlink()
    assert [each.state for each in stored_runs(runs_root)] == [RunState.DAMAGED]
    assert has_ended(run.path)
    with LogWriter(run.variant_log("SGD")):
        assert [each.state for each in stored_runs(runs_root)] == [RunState.RUNNING]
        assert not has_ended(run.path), "somebody still trains there"
