"""A broken problem in every command: the same line, the same exit status, nothing left behind."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from broken_problems import (
    AT_LOADING,
    BATCH_NORM,
    EVERY_KIND,
    NO_LARGE_BATCH,
    RAGGED,
    SAID_OF_KIND,
)
from terminal import PATIENCE, children_of

from engine.sweep.table import FailedArm, Sweep
from gdtui.cli.commands.train import app
from gdtui.cli.main import main
from gdtui.view.text.reports.sweep_table import as_csv, markdown, text

Gdtui = Callable[..., tuple[int, str, list[str]]]
"""Returns the exit status, stdout and the lines of stderr."""
IN_ALL = ("no file", "syntax", "os._exit")
"""Kinds tried in the app and in `audit`, too, which load as the others do."""


@pytest.fixture
def gdtui(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Gdtui:
    """Run a command on `net.py`, in this process and the directory of that file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(app, "check_screen", lambda *_, **__: None)
    monkeypatch.setenv("GDTUI_QUIET", "1")  # a slow machine reports progress each minute

    def run(*arguments: str) -> tuple[int, str, list[str]]:
        problem = ("--problem", "net.py", "--device", "cpu")
        status = main([*arguments, *problem])
        said = capsys.readouterr()
        return status, said.out, said.err.splitlines()

    return run


def runs(folder: Path) -> list[Path]:
    """The runs that are left in the directory of all runs."""
    return [*folder.glob("state/gdtui/runs/*")]


def grandchildren() -> list[int]:
    """The processes that the fork server of this process has started, once others have ended."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = [pid for child in children_of(os.getpid()) for pid in children_of(child)]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


@pytest.mark.parametrize("kind", AT_LOADING)
def test_what_the_first_batch_shows_is_a_usage_error_in_every_command(
    kind: str, gdtui: Gdtui, tmp_path: Path
) -> None:
    AT_LOADING[kind].write(tmp_path)
    commands = ("train", "sweep", "audit", "") if kind in IN_ALL else ("train", "sweep")
    for command in commands:
        name = f"gdtui {command}".strip()
        expected = (2, "", [f"{name}: {AT_LOADING[kind].said}"])
        assert gdtui(*command.split()) == expected
    assert runs(tmp_path) == []
    assert grandchildren() == []


def test_what_training_shows_fails_alike_in_a_run_and_in_a_sweep(
    gdtui: Gdtui, tmp_path: Path
) -> None:
    """Five ways to break, each at a batch size of its own, and one that trains."""
    (tmp_path / "net.py").write_text(EVERY_KIND)
    sizes = [*SAID_OF_KIND, 13]
    options = ("--batch-sizes", ",".join(map(str, sizes)), "--epochs", "1", "--json")
    lines = [f"Mini-batch {size}: {said}" for size, said in SAID_OF_KIND.items()]
    status, out, said = gdtui("train", *options)
    assert (status, said) == (1, [f"gdtui train: {line}" for line in lines])
    reasons = [each["failure"] for each in json.loads(out)["variants"]]
    assert reasons == [*SAID_OF_KIND.values(), None]
    status, out, said = gdtui("sweep", *options)
    assert status == 1
    assert [line for line in said if "not measured" not in line] == [
        f"gdtui sweep: {line}" for line in lines
    ]
    document = json.loads(out)
    assert [row["batch_size"] for row in document["rows"]] == [13]
    assert [each["reason"] for each in document["failed"]] == [*SAID_OF_KIND.values()]
    assert "Traceback" not in out
    assert len(runs(tmp_path)) == 2
    assert grandchildren() == []


def test_a_sample_that_fits_into_no_batch_is_no_usage_error_once_training_has_begun(
    gdtui: Gdtui, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(RAGGED)
    reason = "Mini-batch 13, Mini-batch 5: failed: net.py: samples make no batch: stack expects"
    for command in ("train", "sweep"):
        status, _, (said,) = gdtui(command, "--batch-sizes", "13,5", "--epochs", "1", "--json")
        assert status == 1
        assert said.startswith(f"gdtui {command}: {reason}")
    assert len(runs(tmp_path)) == 2


def test_a_sweep_trains_only_at_the_batch_sizes_asked_for(gdtui: Gdtui, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(BATCH_NORM)
    status, out, said = gdtui("sweep", "--batch-sizes", "5,13", "--epochs", "1", "--json")
    assert (status, said) == (0, [])
    document = json.loads(out)
    assert [row["state"] for row in document["rows"]] == ["finished"] * 2
    assert document["noise_scale"] is not None
    assert all(row["peak_memory_mb"] for row in document["rows"])


def test_an_arm_that_fails_leaves_three_rows_and_its_reason(gdtui: Gdtui, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NO_LARGE_BATCH)
    status, out, said = gdtui("sweep", "--batch-sizes", "5,10,20,full", "--epochs", "1", "--json")
    line = "failed: net.py:15: ValueError: too large"
    assert (status, said) == (1, [f"gdtui sweep: Batch GD: {line}"])
    table = msgspec.json.decode(out, type=Sweep)
    assert [row.batch_size for row in table.rows] == [5, 10, 20]
    assert table.failed == (FailedArm(name="Batch GD", reason=line),)
    assert table.recommendation is not None
    assert [row.split(",")[0] for row in as_csv(table).splitlines()[1:]] == ["5", "10", "20"]
    for form in (markdown, text):
        assert f"Batch GD: {line}" in form(table)


def test_a_device_that_is_not_there_is_a_usage_error_in_every_command(
    gdtui: Gdtui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reasons = set()
    for command in ("train", "sweep", "experiment"):
        words = [command] if command != "experiment" else [command, "saddle"]
        assert main([*words, "--device", "cuda:99"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        reasons.add(said.err.removeprefix(f"gdtui {command}: "))
    (reason,) = reasons
    assert reason.startswith("device 'cuda:99' is not available on this machine")
    assert reason.count("\n") == 1
    assert runs(tmp_path) == []


def test_held_out_data_give_a_sweep_its_gap(
    gdtui: Gdtui, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    words = "sweep --problem digits --batch-sizes 64,full --epochs 1 --device cpu --json"
    assert main(words.split()) == 0
    said = capsys.readouterr()
    rows = json.loads(said.out)["rows"]
    assert said.err == ""
    assert all(-1 < row["generalisation_gap"] < 1 for row in rows)
    assert [row["lr"] for row in rows] == [0.1, 0.1]  # the problem's own


def test_a_traceback_is_shown_on_request_alone(gdtui: Gdtui, tmp_path: Path) -> None:
    AT_LOADING["exit"].write(tmp_path)
    for command in ("train", "sweep"):
        _, _, said = gdtui(command, "--debug")
        assert said[0] == "Traceback (most recent call last):"
        assert said[-1].endswith("SystemExit: 3")
    (tmp_path / "net.py").write_text(NO_LARGE_BATCH)
    for command in ("train", "sweep"):
        line, *traceback = gdtui(command, "--batch-sizes", "30,40", "--debug")[2]
        assert line.startswith(f"gdtui {command}: Mini-batch 30, Mini-batch 40: failed: ")
        assert traceback[0] == "Traceback (most recent call last):"
        assert traceback[-1] == "ValueError: too large"
