"""`gdtui runs`: the list as text and JSON, and a removal that never takes what still goes on."""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from engine.log.directory import RunDirectory, RunDirectoryError, data_path, reserved, server_output
from engine.sweep.directory import SweepDirectory
from gdtui.cli.commands.runs import prune
from gdtui.cli.commands.runs.runs import command
from gdtui.state.overlay.opening import newest
from gdtui.state.runs.retention import RetentionTerms
from gdtui.state.stored_runs import RunState, stored_runs

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


MakeRun = Callable[..., RunDirectory]
MakeSweep = Callable[..., SweepDirectory]


@pytest.fixture
def cli(cli_in_process: Cli) -> Cli:
    """These commands need no process of their own."""
    return cli_in_process


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


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], str]], list[str]]:
    """Answer the next questions at a terminal; their texts."""

    def answer(reply: Callable[[], str]) -> list[str]:
        questions: list[str] = []

        def noting(print_it: Callable[..., None]) -> Callable[..., None]:
            def note(text: str = "", end: str = "\n") -> None:
                if end == "":
                    questions.append(text)
                print_it(text, end)

            return note

        monkeypatch.setattr("builtins.input", reply)
        monkeypatch.setattr(prune, "print_text", noting(prune.print_text))
        monkeypatch.setattr(prune, "print_error", noting(prune.print_error))
        monkeypatch.setattr(prune, "is_terminal", lambda stream: True)
        return questions

    return answer


def removal(root: Path, *, is_sure: bool = False, as_json: bool = False, **terms: Any) -> int:
    """The exit status of `gdtui runs --prune` below this folder."""
    ctx = click.Context(command, info_name="gdtui runs")
    return prune.prune_runs(ctx, [root], RetentionTerms(**terms), is_sure=is_sure, as_json=as_json)


Ask = Callable[[Callable[[], str]], list[str]]


@pytest.mark.parametrize(("answer", "left"), [("", 1), ("n", 1), ("y", 0), ("YES", 0)])
def test_prune_says_what_goes_and_asks(
    answer: str,
    left: int,
    make_run: MakeRun,
    runs_root: Path,
    asked: Ask,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_run(runs_root / "done")
    questions = asked(lambda: answer)
    assert removal(runs_root) == 0
    assert questions[0].startswith("Remove 1 run, ")
    assert str(runs_root / "done") in capsys.readouterr().out
    assert len(stored_runs(runs_root)) == left


def test_a_run_that_goes_on_while_the_question_stands_is_kept(
    make_run: MakeRun, runs_root: Path, asked: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(runs_root / "done")
    with run.session_log.open("rb") as log:

        def answer() -> str:
            fcntl.flock(log, fcntl.LOCK_EX)
            return "y"

        asked(answer)
        removal(runs_root)
    assert (run.path / "run.json").exists()
    assert "removed no runs" in capsys.readouterr().out


def test_the_question_is_no_part_of_the_document(
    make_run: MakeRun, runs_root: Path, asked: Ask, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    make_run(runs_root / "done")
    asked(lambda: "n")
    assert removal(runs_root, as_json=True) == 0
    out, err = capsysbinary.readouterr()
    document = json.loads(out)
    assert [run["run_dir"] for run in document["selected"]] == [str(runs_root / "done")]
    assert document["removed"] == []
    assert b"Remove 1 run" in err


def aged(run: RunDirectory, days: float) -> None:
    """Let a run have begun so many days ago."""
    info = msgspec.structs.replace(run.info, created=time.time() - days * 86_400)
    (run.path / "run.json").write_bytes(msgspec.json.encode(info))


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("--older-than 30d", {"young", "middle"}),
        ("--older-than 2592000", {"young", "middle"}),
        ("--older-than 1w --keep 2", {"young", "middle"}),
        ("--older-than 48h --keep 0", {"young"}),
        ("--keep 1", {"young"}),
        ("--larger-than 1M", {"young", "middle", "old"}),
        ("--larger-than 100K --older-than 1d", {"young", "old", "ancient"}),
        ("--larger-than 1G", {"young", "middle", "old", "ancient"}),
    ],
)
def test_conditions_choose_what_goes(
    line: str, left: set[str], cli: Cli, make_run: MakeRun, runs_root: Path
) -> None:
    days = {"young": 1, "middle": 10, "old": 40, "ancient": 400}
    sizes = {"middle": 200 << 10, "ancient": 2 << 20}
    if line == "--larger-than 100K --older-than 1d":
        sizes = {"middle": 200 << 10, "young": 200 << 10}
        days["young"] = 0
    for name, age in days.items():
        run = make_run(runs_root / name, names=("A",))
        aged(run, age)
        (run.path / "1-a.out").write_bytes(bytes(sizes.get(name, 0)))
    result = cli("runs", "--prune", "--yes", *line.split())
    assert (result.returncode, result.stderr) == (0, "")
    assert {path.name for path in runs_root.iterdir()} == left


def test_without_a_terminal_prune_says_what_would_go_and_removes_nothing(
    cli: Cli, make_run: MakeRun, runs_root: Path
) -> None:
    aged(make_run(runs_root / "old"), 40)
    make_run(runs_root / "young")
    result = cli("runs", "--prune", "--older-than", "30d")
    assert result.returncode == 2
    assert str(runs_root / "old") in result.stdout
    assert str(runs_root / "young") not in result.stdout
    assert "--yes" in result.stderr
    assert len(list(runs_root.iterdir())) == 2


def test_the_document_of_a_removal(
    cli: Cli, make_run: MakeRun, make_sweep: MakeSweep, runs_root: Path
) -> None:
    make_run(runs_root / "a")
    make_sweep(runs_root / "b")
    result = cli("runs", "--prune", "--json")
    assert result.returncode == 2
    assert {run["kind"] for run in json.loads(result.stdout)["selected"]} == {"run", "sweep"}
    assert len(list(runs_root.iterdir())) == 2
    result = cli("runs", "--prune", "--yes", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document["root"] == str(runs_root)
    assert document["removed"] == document["selected"]
    assert document["failed"] == []
    assert list(runs_root.iterdir()) == []


def test_a_run_that_cannot_be_removed_is_told_and_the_others_go(
    cli: Cli, make_run: MakeRun, runs_root: Path
) -> None:
    (make_run(runs_root / "odd").path / "1-mini-batch.out").symlink_to("/dev/null")
    make_run(runs_root / "plain")
    result = cli("runs", "--prune", "--yes", "--json")
    assert result.returncode == 1
    document = json.loads(result.stdout)
    assert [Path(run["run_dir"]).name for run in document["removed"]] == ["plain"]
    assert [Path(failure["run_dir"]).name for failure in document["failed"]] == ["odd"]
    assert "cannot remove" in result.stderr
    assert [path.name for path in runs_root.iterdir()] == ["odd"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--older-than 30d", "--older-than requires --prune"),
        ("--larger-than 1G", "--larger-than requires --prune"),
        ("--keep 0", "--keep requires --prune"),
        ("--yes", "--yes requires --prune"),
        ("--prune --older-than 30y", "'30y': expected a time"),
        ("--prune --older-than=-1d", "'-1d': expected a time"),
        ("--prune --older-than nan", "'nan': expected a time"),
        ("--prune --larger-than 1X", "'1X': expected a size"),
        ("--prune --larger-than=-5", "'-5': expected a size"),
        ("--prune --keep=-1", "'-1': expected a whole number from 0"),
        ("--prune --keep few", "'few': expected a whole number from 0"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_removes_nothing(
    line: str, told: str, cli: Cli, make_run: MakeRun, runs_root: Path
) -> None:
    make_run(runs_root / "done")
    result = cli("runs", *line.split(), text_in="y\n")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert told in result.stderr
    assert (runs_root / "done" / "run.json").exists()


# --- Sweeps ---------------------------------------------------------------------------------------


def test_a_sweep_is_one_entry_with_its_arms(
    cli: Cli, make_run: MakeRun, make_sweep: MakeSweep, runs_root: Path
) -> None:
    make_run(runs_root / "run")
    make_sweep(runs_root / "sweep", names=("SGD", "Batch GD"))
    lines = cli("runs").stdout.splitlines()
    assert len(lines) == 3
    assert "sweep of 2 arms" in lines[1]
    sweep, run = json.loads(cli("runs", "--json").stdout)["runs"]
    assert (sweep["kind"], run["kind"]) == ("sweep", "run")
    assert [Path(arm["run_dir"]).name for arm in sweep["arms"]] == ["sgd", "batch-gd"]
    assert sweep["variants"] == ["SGD", "Batch GD"]
    assert run["arms"] == []
    result = cli("runs", "--prune", "--yes")
    assert "removed 1 run and 1 sweep, " in result.stdout
    assert list(runs_root.iterdir()) == []


# --- What is damaged, or never began --------------------------------------------------------------


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
        newest(runs_root)
    with pytest.raises(RunDirectoryError, match="killed"):
        RunDirectory.open(leftover)
    removal(runs_root, is_sure=True)
    assert list(runs_root.iterdir()) == []


def test_what_is_still_being_loaded_is_neither_listed_nor_removed(
    leftover: Path, runs_root: Path
) -> None:
    with reserved(leftover):
        for path in (data_path(leftover), server_output(leftover)):  # it takes long
            os.utime(path, (time.time() - 3600, time.time() - 3600))
        assert stored_runs(runs_root) == []
        removal(runs_root, is_sure=True)
    assert leftover.exists()
