"""`gdtui runs`: the list as text and JSON, and a removal that never takes what still goes on."""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.log.directory import RunDirectory, RunDirectoryError, data_path, reserved, server_output
from gdtui.cli.commands.runs.runs import remove_ended
from gdtui.cli.commands.runs.watch_run import newest_run
from gdtui.state.stored_runs import RunState, stored_runs

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


MakeRun = Callable[..., RunDirectory]


def test_the_list(cli: Cli, make_run: MakeRun, running_run: RunDirectory, runs_root: Path) -> None:
    make_run(runs_root / "done", names=("A", "B"))
    (runs_root / "empty").mkdir()
    result = cli("runs")
    assert (result.returncode, result.stderr) == (0, "")
    assert "A, B" in result.stdout
    assert "empty" not in result.stdout
    stored = {
        Path(run["run_dir"]).name: run for run in json.loads(cli("runs", "--json").stdout)["runs"]
    }
    assert {name: run["state"] for name, run in stored.items()} == {
        "done": "finished",
        "running": "running",
    }
    assert stored["done"]["bytes"] == sum(
        file.stat().st_size for file in (runs_root / "done").iterdir()
    )
    assert stored["done"]["variants"] == ["A", "B"]


def test_no_runs(cli: Cli) -> None:
    result = cli("runs")
    assert result.returncode == 0
    assert "no runs" in result.stdout


def test_prune_removes_what_has_ended(
    cli: Cli, make_run: MakeRun, running_run: RunDirectory, runs_root: Path
) -> None:
    make_run(runs_root / "done")
    make_run(runs_root / "early", is_ended=False)
    result = cli("runs", "--prune", "--yes")
    assert result.returncode == 0
    assert "removed 2 runs" in result.stdout
    assert [path.name for path in runs_root.iterdir()] == ["running"]
    assert (runs_root / "running" / "run.json").exists()


@pytest.mark.parametrize(("answer", "left"), [("", 1), ("n", 1), ("y", 0), ("YES", 0)])
def test_prune_asks(
    answer: str, left: int, make_run: MakeRun, runs_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(runs_root / "done")
    questions: list[str] = []

    def reply(question: str) -> str:
        questions.append(question)
        return answer

    monkeypatch.setattr("builtins.input", reply)
    assert remove_ended(runs_root, is_sure=False) == 0
    assert "1 run" in questions[0]
    assert len(stored_runs(runs_root)) == left


def test_a_run_that_goes_on_while_the_question_stands_is_kept(
    make_run: MakeRun, runs_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(runs_root / "done")
    with run.session_log.open("rb") as log:

        def answer(_: str) -> str:
            fcntl.flock(log, fcntl.LOCK_EX)
            return "y"

        monkeypatch.setattr("builtins.input", answer)
        remove_ended(runs_root, is_sure=False)
    assert (run.path / "run.json").exists()


def test_a_damaged_run_file_is_listed_and_can_be_removed(
    cli: Cli, make_run: MakeRun, runs_root: Path
) -> None:
    (make_run(runs_root / "odd").path / "run.json").write_text("{")
    assert "damaged" in cli("runs").stdout
    cli("runs", "--prune", "--yes")
    assert list(runs_root.iterdir()) == []


def test_what_never_began_is_listed_and_removed_but_is_no_run_to_watch(
    leftover: Path, runs_root: Path
) -> None:
    (stored,) = stored_runs(runs_root)
    assert (stored.state, stored.bytes) == (RunState.NEVER_BEGAN, 1000)
    with pytest.raises(RunDirectoryError, match="no run in"):
        newest_run(runs_root)
    with pytest.raises(RunDirectoryError, match="killed"):
        RunDirectory.open(leftover)
    remove_ended(runs_root, is_sure=True)
    assert list(runs_root.iterdir()) == []


def test_what_is_still_being_loaded_is_neither_listed_nor_removed(
    leftover: Path, runs_root: Path
) -> None:
    with reserved(leftover):
        for path in (data_path(leftover), server_output(leftover)):  # it takes long
            os.utime(path, (time.time() - 3600, time.time() - 3600))
        assert stored_runs(runs_root) == []
        remove_ended(runs_root, is_sure=True)
    assert leftover.exists()
