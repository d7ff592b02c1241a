"""A broken problem in every command: the same line, the same exit status, nothing left behind."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from broken_problems import AT_LOADING, BATCH_NORM, IN_TRAINING, NO_LARGE_BATCH
from terminal import children_of

from gdtui.cli.commands.train import app
from gdtui.cli.main import main

Gdtui = Callable[..., tuple[int, str, list[str]]]
"""Returns the exit status, stdout and the lines of stderr."""


@pytest.fixture
def gdtui(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Gdtui:
    """Run a command on `net.py`, in this process and the directory of that file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(app, "check_screen", lambda *_, **__: None)

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
    """The processes that the fork server of this process has started."""
    return [pid for child in children_of(os.getpid()) for pid in children_of(child)]


@pytest.mark.parametrize("kind", AT_LOADING)
def test_what_the_first_batch_shows_is_a_usage_error_in_every_command(
    kind: str, gdtui: Gdtui, tmp_path: Path
) -> None:
    AT_LOADING[kind].write(tmp_path)
    for command in ("train", "sweep", "audit", ""):
        name = f"gdtui {command}".strip()
        expected = (2, "", [f"{name}: {AT_LOADING[kind].said}"])
        assert gdtui(*command.split()) == expected
    assert runs(tmp_path) == []
    assert grandchildren() == []


@pytest.mark.parametrize("kind", IN_TRAINING)
def test_what_training_shows_fails_alike_in_a_run_and_in_a_sweep(
    kind: str, gdtui: Gdtui, tmp_path: Path
) -> None:
    IN_TRAINING[kind].write(tmp_path)
    line = f"Mini-batch 13, Mini-batch 5: {IN_TRAINING[kind].said}"
    options = ("--batch-sizes", "13,5", "--epochs", "1", "--json")
    status, out, said = gdtui("train", *options)
    assert (status, said) == (1, [f"gdtui train: {line}"])
    assert [each["failure"] for each in json.loads(out)["variants"]] == [IN_TRAINING[kind].said] * 2
    status, out, said = gdtui("sweep", *options)
    assert (status, said) == (1, [f"gdtui sweep: {line}"])
    document = json.loads(out)
    assert document["rows"] == []
    assert [each["reason"] for each in document["failed"]] == [IN_TRAINING[kind].said] * 2
    assert "Traceback" not in out
    assert len(runs(tmp_path)) == 2
    assert grandchildren() == []


def test_a_sweep_trains_only_at_the_batch_sizes_asked_for(gdtui: Gdtui, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(BATCH_NORM)
    status, out, said = gdtui("sweep", "--batch-sizes", "5,13", "--epochs", "1", "--json")
    assert (status, said) == (0, [])
    document = json.loads(out)
    assert [row["state"] for row in document["rows"]] == ["finished"] * 2
    assert document["noise_scale"] is not None
    assert all(row["peak_memory_mb"] for row in document["rows"])


@pytest.mark.parametrize("form", ["--json", "--csv", "--markdown", "--quiet"])
def test_an_arm_that_fails_leaves_three_rows_and_its_reason(
    form: str, gdtui: Gdtui, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(NO_LARGE_BATCH)
    status, out, said = gdtui("sweep", "--batch-sizes", "5,10,20,full", "--epochs", "1", form)
    line = "failed: net.py:15: ValueError: too large"
    assert (status, said) == (1, [f"gdtui sweep: Batch GD: {line}"])
    if form == "--json":
        document = json.loads(out)
        assert [row["batch_size"] for row in document["rows"]] == [5, 10, 20]
        assert document["failed"] == [{"name": "Batch GD", "reason": line}]
        assert document["recommendation"] is not None
    elif form == "--csv":
        assert [row.split(",")[0] for row in out.splitlines()[1:]] == ["5", "10", "20"]
    elif form == "--markdown":
        assert [row.split(" | ")[0] for row in out.splitlines()[2:5]] == ["| 5", "| 10", "| 20"]
        assert f"Batch GD: {line}" in out
    else:
        assert f"Batch GD: {line}" in out


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
