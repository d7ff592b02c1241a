"""A user's modules with others' names: all that can work does, the rest gets a sentence."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from real_app import CONSOLE_SCRIPT

MODULE = [sys.executable, "-m", "gdtui"]
TRAIN = ("train", "--epochs", "1", "--batch-sizes", "64")
PROBLEM = """
import torch
from torch import nn
from gdtui import Problem

def problem():
    x = torch.randn(200, 4)
    y = (x.mean(1) > 0).long()
    return Problem(train=(x, y), model=lambda: nn.Linear(4, 2), loss=nn.functional.cross_entropy)
"""

Gdtui = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a package `engine`, a `random` and a `queue` of its user's, and a problem."""
    folder = tmp_path / "own"
    (folder / "engine").mkdir(parents=True)
    (folder / "engine" / "__init__.py").write_text("class Car: pass\n")
    for name in ("random.py", "queue.py"):
        (folder / name).write_text("raise SystemExit('the wrong one')\n")
    (folder / "net.py").write_text(PROBLEM)
    return folder


@pytest.fixture
def gdtui(own: Path, cli_env: dict[str, str]) -> Gdtui:
    """Run it in that folder: `gdtui(command, arguments…, env=…)`."""

    def run(command: list[str], *arguments: str, env: dict[str, str] | None = None) -> object:
        return subprocess.run(
            [*command, *arguments],
            cwd=own,
            env={**cli_env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run  # type: ignore[return-value]


@pytest.mark.parametrize("command", [MODULE, CONSOLE_SCRIPT], ids=["python -m", "gdtui"])
def test_the_working_directorys_own_modules_are_left_alone(
    command: list[str], gdtui: Gdtui, own: Path
) -> None:
    """Neither the program nor the processes that it starts take them for theirs."""
    result = gdtui(command, *TRAIN, "--run-dir", "run")
    assert (result.returncode, result.stderr) == (0, "")
    assert (own / "run" / "workers.out").read_text() == ""


def test_a_problem_beside_an_engine_of_its_users_trains(gdtui: Gdtui, own: Path) -> None:
    for name in ("random.py", "queue.py"):
        (own / name).unlink()
    code = "import os\nassert not os.environ.get('PYTHONSAFEPATH'), 'the user\\'s environment'\n"
    (own / "net.py").write_text(code + PROBLEM)
    result = gdtui(MODULE, *TRAIN, "--problem", "net.py", env={"PYTHONSAFEPATH": ""})
    assert (result.returncode, result.stderr) == (0, "")


def test_one_that_imports_that_engine_is_told_what_to_rename(gdtui: Gdtui, own: Path) -> None:
    (own / "net.py").write_text(f"from engine import Car\n{PROBLEM}")
    result = gdtui(CONSOLE_SCRIPT, *TRAIN, "--problem", "net.py", "--run-dir", "run")
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        "gdtui train: net.py:1: engine/ next to it has the name of a package of gdtui, which "
        "Python imports instead: rename engine/"
    )
    assert not (own / "run").exists()


def test_a_gdtui_of_its_users_beside_it_is_told_likewise(gdtui: Gdtui, own: Path) -> None:
    (own / "sub" / "gdtui").mkdir(parents=True)
    (own / "sub" / "gdtui" / "__init__.py").touch()
    (own / "net.py").rename(own / "sub" / "net.py")
    result = gdtui(MODULE, *TRAIN, "--problem", "sub/net.py")
    assert (result.returncode, result.stdout) == (2, "")
    said = "sub/net.py:4: gdtui/ next to it hides a package of gdtui: rename gdtui/"
    assert result.stderr.startswith(f"gdtui train: {said}")


def test_an_engine_on_pythonpath_is_named(gdtui: Gdtui, own: Path, cli_env: dict[str, str]) -> None:
    for name in ("random.py", "queue.py"):
        (own / name).unlink()
    path = os.pathsep.join((str(own), cli_env["PYTHONPATH"]))
    for arguments in (TRAIN, ("--help",)):
        result = gdtui(MODULE, *arguments, env={"PYTHONPATH": path})
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == (
            f"gdtui: {own / 'engine'} hides a package of gdtui's own: rename it, or take it off "
            "PYTHONPATH\n"
        )
