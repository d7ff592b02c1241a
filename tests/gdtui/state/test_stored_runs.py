"""Stored runs are told apart by what their files and locks say; what is still going is never removed."""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.log.directory import RunDirectory, RunDirectoryError, data_path, reserved, server_output
from engine.log.records import State
from engine.settings import DEFAULT_BATCH_SIZES, RunSettings, Variant, VariantSettings
from gdtui.cli.commands.runs.runs import prune
from gdtui.cli.commands.runs.watch_run import newest_run
from gdtui.state.stored_runs import RunState, is_running, remove, state_of, stored_runs
from gdtui.view.text.formatting import readable_size

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a `cli` of this test keeps its runs."""
    return tmp_path / "state" / "gdtui" / "runs"


@pytest.fixture
def running(make_run: MakeRun, root: Path) -> Iterator[RunDirectory]:
    """A run whose session still holds its log."""
    run = make_run(root / "running")
    with run.session_log.open("rb") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        yield run


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


def test_a_run_whose_log_is_held(running: RunDirectory) -> None:
    assert state_of(running) is RunState.RUNNING


def test_a_run_that_is_about_to_start(tmp_path: Path) -> None:
    variants = tuple(
        Variant(name=str(size), settings=VariantSettings(batch_size=size)) for size in DEFAULT_BATCH_SIZES
    )
    assert is_running(RunDirectory.create(tmp_path / "new", RunSettings(variants=variants), "0"))


def test_the_list(cli: Cli, make_run: MakeRun, running: RunDirectory, root: Path) -> None:
    make_run(root / "done", names=("A", "B"))
    (root / "empty").mkdir()
    result = cli("runs")
    assert (result.returncode, result.stderr) == (0, "")
    assert "A, B" in result.stdout
    assert "empty" not in result.stdout
    stored = {Path(run["run_dir"]).name: run for run in json.loads(cli("runs", "--json").stdout)["runs"]}
    assert {name: run["state"] for name, run in stored.items()} == {"done": "finished", "running": "running"}
    assert stored["done"]["bytes"] == sum(file.stat().st_size for file in (root / "done").iterdir())
    assert stored["done"]["variants"] == ["A", "B"]


def test_no_runs(cli: Cli) -> None:
    result = cli("runs")
    assert result.returncode == 0
    assert "no runs" in result.stdout


def test_prune_removes_what_has_ended(cli: Cli, make_run: MakeRun, running: RunDirectory, root: Path) -> None:
    make_run(root / "done")
    make_run(root / "early", is_ended=False)
    result = cli("runs", "--prune", "--yes")
    assert result.returncode == 0
    assert "removed 2 runs" in result.stdout
    assert [path.name for path in root.iterdir()] == ["running"]
    assert (root / "running" / "run.json").exists()


@pytest.mark.parametrize(("answer", "left"), [("", 1), ("n", 1), ("y", 0), ("YES", 0)])
def test_prune_asks(
    answer: str, left: int, make_run: MakeRun, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(root / "done")
    questions: list[str] = []

    def reply(question: str) -> str:
        questions.append(question)
        return answer

    monkeypatch.setattr("builtins.input", reply)
    assert prune(root, is_sure=False) == 0
    assert "1 run" in questions[0]
    assert len(stored_runs(root)) == left


def test_a_run_that_goes_on_while_the_question_stands_is_kept(
    make_run: MakeRun, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(root / "done")
    with run.session_log.open("rb") as log:

        def answer(_: str) -> str:
            fcntl.flock(log, fcntl.LOCK_EX)
            return "y"

        monkeypatch.setattr("builtins.input", answer)
        prune(root, is_sure=False)
    assert (run.path / "run.json").exists()


def test_a_damaged_run_file_is_listed_and_can_be_removed(cli: Cli, make_run: MakeRun, root: Path) -> None:
    (make_run(root / "odd").path / "run.json").write_text("{")
    assert "damaged" in cli("runs").stdout
    cli("runs", "--prune", "--yes")
    assert list(root.iterdir()) == []


def test_only_files_of_the_run_are_removed(make_run: MakeRun) -> None:
    run = make_run()
    (run.path / "1-mini-batch.out").touch()
    (run.path / "data").mkdir()
    mine = ("notes.txt", "nohup.out", "net.weights", "data/train.pt")
    for name in mine:
        (run.path / name).write_text("mine")
    remove(run.path)
    assert {file for file in run.path.rglob("*") if file.is_file()} == {run.path / name for name in mine}


@pytest.fixture
def left(root: Path) -> Path:
    """What is left where gdtui was killed an hour ago as it loaded a problem."""
    left = root / "left"
    data_path(left).mkdir(parents=True)
    (data_path(left) / "train.pt").write_bytes(bytes(1000))
    server_output(left).touch()
    for path in (data_path(left), server_output(left)):
        os.utime(path, (time.time() - 3600, time.time() - 3600))
    return left


def test_what_never_began_is_listed_and_removed_but_is_no_run_to_watch(left: Path, root: Path) -> None:
    (stored,) = stored_runs(root)
    assert (stored.state, stored.bytes) == (RunState.NEVER_BEGAN, 1000)
    with pytest.raises(RunDirectoryError, match="there is no run"):
        newest_run(root)
    with pytest.raises(RunDirectoryError, match="ended by force"):
        RunDirectory.open(left)
    prune(root, is_sure=True)
    assert list(root.iterdir()) == []


def test_what_is_still_being_loaded_is_neither_listed_nor_removed(left: Path, root: Path) -> None:
    with reserved(left):
        data_path(left).mkdir()
        for path in (data_path(left), server_output(left)):  # it takes long
            os.utime(path, (time.time() - 3600, time.time() - 3600))
        assert stored_runs(root) == []
        prune(root, is_sure=True)
    assert left.exists()


def test_what_is_just_being_loaded_is_neither_listed_nor_removed(left: Path, root: Path) -> None:
    """Between two steps nobody holds the file."""
    (data_path(left) / "validation.pt").touch()
    assert stored_runs(root) == []


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB"), (5 << 40, "5120.0 GiB")],
)
def test_sizes(size: int, text: str) -> None:
    assert readable_size(size) == text


def test_data_that_a_killed_run_left_is_counted_and_removed(make_run: MakeRun, root: Path) -> None:
    run = make_run(root / "killed")
    run.data.mkdir()
    (run.data / "train.pt").write_bytes(bytes(10**6))
    (run.data / "problem.pickle").touch()
    (stored,) = stored_runs(root)
    assert stored.bytes > 10**6
    remove(run.path)
    assert not run.path.exists()
