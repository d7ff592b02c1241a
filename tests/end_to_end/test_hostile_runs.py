"""Runs from somebody else: no code in them runs, and nothing outside them is touched."""

import itertools
import pickle
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from canary import PLANTS, CanaryTree
from real_app import CONSOLE_SCRIPT
from source_tree import ROOT
from terminal import PATIENCE, Terminal

from engine.log.directory import RunDirectory, data_path
from engine.measure.weights_log import TrailWriter, trail_path

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]


class Attack:
    """Pickled, it makes the canary once it is loaded."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.canary.touch, ()


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """The file that hostile code would make."""
    return tmp_path / "ran"


@pytest.fixture
def runs_root(tmp_path: Path) -> Path:
    """The folder in which a `cli` of this test keeps its runs."""
    return tmp_path / "state" / "gdtui" / "runs"


@pytest.fixture
def outside(tmp_path: Path) -> CanaryTree:
    return CanaryTree(tmp_path / "outside")


def plant_pickles(run: Path, canary: Path) -> None:
    """All that earlier versions unpickled, or may have."""
    data_path(run).mkdir(parents=True)
    for name in ("problem.pickle", "problem.msgpack", "train.pt", "validation.pt", "train.npz"):
        (data_path(run) / name).write_bytes(pickle.dumps(Attack(canary)))


def rename_problem(run: RunDirectory, problem: str) -> None:
    """Let run.json name another problem."""
    settings = msgspec.structs.replace(run.info.settings, problem=problem)
    info = msgspec.structs.replace(run.info, settings=settings)
    (run.path / "run.json").write_bytes(msgspec.json.encode(info))


@pytest.fixture
def hostile(make_run: MakeRun, canary: Path, tmp_path: Path) -> RunDirectory:
    """A run with pickles, and a trail of weights for which the landscape opens the problem."""
    run = make_run(tmp_path / "hostile")
    plant_pickles(run.path, canary)
    for log in run.info.logs:
        writer = TrailWriter(trail_path(run.path / log), 11)
        writer.begin()
        for k in range(5):
            writer.add(1, k, k, float(k), np.full(11, k / 10))
    return run


# --- Nothing that is read is run ------------------------------------------------------------------


@pytest.fixture
def watching(hostile: RunDirectory, cli_env: dict[str, str]) -> Iterator[Callable[[], Terminal]]:
    """`gdtui watch` on the hostile run, in a terminal."""
    terminals: list[Terminal] = []

    def start() -> Terminal:
        command = [*CONSOLE_SCRIPT, "watch", str(hostile.path)]
        terminals.append(Terminal(command, env=cli_env))
        terminals[-1].wait_for("i or esc: back to the variants")  # the results, at the end
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def test_a_file_that_the_run_names_runs_only_after_a_yes(
    hostile: RunDirectory, watching: Callable[[], Terminal], canary: Path, tmp_path: Path
) -> None:
    file = tmp_path / "evil.py"
    file.write_text(f"open({str(canary)!r}, 'w')\ndef problem():\n    return None\n")
    rename_problem(hostile, f"{file}:problem")
    terminal = watching()
    for key, answer in (("v", "n"), ("W", "\x1b"), ("v", "\x1b")):
        terminal.send(key)
        terminal.wait_for("run this file?")
        assert str(file)[:60] in terminal.text
        terminal.send("\r")
        terminal.send(answer)
        terminal.wait_for(lambda: "run this file?" not in terminal.text)
    assert not canary.exists()
    terminal.send("v")
    terminal.wait_for("run this file?")
    terminal.send("y")
    terminal.wait_for("evil.py: problem() returns a NoneType")
    assert canary.exists(), "the file that it asked for is the one that it runs"
    terminal.send("q")
    assert terminal.wait() == 0


def test_no_pickle_of_a_run_is_loaded_for_its_landscape(
    watching: Callable[[], Terminal], canary: Path
) -> None:
    terminal = watching()
    terminal.send("v")
    terminal.wait_for("all data")
    terminal.wait_for(lambda: "surveying" not in terminal.text)
    terminal.send("q")
    assert terminal.wait() == 0
    assert not canary.exists()


def test_no_pickle_that_lies_where_a_run_begins_is_loaded(
    cli_in_process: Cli, canary: Path, tmp_path: Path
) -> None:
    plant_pickles(tmp_path / "run", canary)
    options = ("--problem", "digits", "--epochs", "1", "--batch-sizes", "64")
    result = cli_in_process("train", "--run-dir", tmp_path / "run", *options)
    assert result.returncode == 0, result.stderr
    assert not canary.exists()
    assert len(list(data_path(tmp_path / "run").iterdir())) == 5, "they are nobody's business"


@pytest.mark.parametrize("command", ["train", "sweep"])
def test_a_run_that_others_are_to_be_like_runs_nothing(
    command: str, hostile: RunDirectory, cli_in_process: Cli, canary: Path, tmp_path: Path
) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(canary)!r}, 'w')\n")
    rename_problem(hostile, str(tmp_path / "evil.py"))
    result = cli_in_process(command, "--like", hostile.path)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert f"add --problem {tmp_path / 'evil.py'}" in result.stderr
    assert not canary.exists()


def test_modules_in_a_run_are_not_imported_where_one_stands_in_it(
    cli_env: dict[str, str], canary: Path, tmp_path: Path
) -> None:
    """`python -m` looks for modules in the working directory, for the optional ones, too."""
    for name in ("random", "textual", "no_such_package"):
        (tmp_path / f"{name}.py").write_text(f"open({str(canary)!r}, 'w')\n")
    script = """
import contextlib, runpy, sys
sys.path.insert(0, "")
sys.argv = ["gdtui", "runs"]
with contextlib.suppress(SystemExit):
    runpy.run_module("gdtui", run_name="__main__")
with contextlib.suppress(ImportError):
    import no_such_package
"""
    subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.append({str(ROOT)!r})" + script],
        env=cli_env,
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert not canary.exists()


# --- Nothing outside a run is touched -------------------------------------------------------------


@pytest.mark.parametrize("plant", ["a link", "a directory", "a FIFO"])
@pytest.mark.parametrize("name", [".tensors", "1-mini-batch.weights", "2-sgd.gdlog", "workers.out"])
def test_no_link_is_followed_as_a_run_is_listed_exported_and_removed(
    name: str,
    plant: str,
    make_run: MakeRun,
    runs_root: Path,
    cli_in_process: Cli,
    outside: CanaryTree,
) -> None:
    run = make_run(runs_root / "hostile")
    make_run(runs_root / "mine")
    (run.path / name).unlink(missing_ok=True)
    PLANTS[plant](run.path / name, outside.folder if name == ".tensors" else outside.file)
    before = sorted(path.name for path in run.path.iterdir())
    assert "hostile" in cli_in_process("runs").stdout
    cli_in_process("export", run.path)
    pruned = cli_in_process("runs", "--prune", "--yes")
    outside.check()
    assert not (runs_root / "mine").exists(), "one odd run is one run's news"
    if (name, plant) == (".tensors", "a directory"):
        assert not run.path.exists()
        return
    assert pruned.returncode == 1
    assert pruned.stdout.startswith("removed 1 run,")
    (line,) = pruned.stderr.splitlines()
    assert line.startswith(f"gdtui runs: cannot remove {run.path}: {name} ")
    assert sorted(path.name for path in run.path.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        *itertools.product(
            ("run.json", "1-batch-gd.gdlog", "session.gdlog", "workers.out"), PLANTS
        ),
        ("1-batch-gd.weights", "a link"),  # only a worker opens it, once torch is imported
    ],
)
def test_no_run_begins_where_links_lie_in_wait(
    name: str, plant: str, cli_in_process: Cli, outside: CanaryTree, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    PLANTS[plant](run / name, outside.file)
    options = ("--batch-sizes", "full", "--epochs", "1", "--problem", "digits")
    result = cli_in_process("train", "--run-dir", run, *options)
    assert result.returncode == 2
    assert "nothing was changed" in result.stderr.splitlines()[-1]
    outside.check()
    assert [path.name for path in run.iterdir()] == [name]


# --- Private, and gone at the end -----------------------------------------------------------------


NET = """
import time
import torch
from pathlib import Path
from torch import nn
from engine import Problem

def problem():
    x = torch.randn(64, 3)
    return Problem(train=(x, x.sum(1, keepdim=True)), model=lambda: nn.Linear(3, 1), loss=loss)

def loss(output, target):
    {in_loss}
    return nn.functional.mse_loss(output, target)
"""


def modes(folder: Path) -> set[tuple[bool, int]]:
    """(directory or not, mode) of the folder and all that is in it."""
    found = [path.lstat().st_mode for path in (folder, *folder.rglob("*"))]
    return {(stat.S_ISDIR(mode), stat.S_IMODE(mode)) for mode in found}


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def handed_over(temporary: Path) -> list[Path]:
    return list(temporary.glob("gdtui-*"))


@pytest.fixture
def train(
    cli_env: dict[str, str], temporary: Path, tmp_path: Path
) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """`gdtui train` on a problem of the user's, in the background."""
    started: list[subprocess.Popen[bytes]] = []

    def start(in_loss: str = "pass", *options: str, umask: int = -1) -> "subprocess.Popen[bytes]":
        (tmp_path / "net.py").write_text(NET.format(in_loss=in_loss))
        place = ("--problem", str(tmp_path / "net.py"), "--run-dir", str(tmp_path / "run"))
        command = [sys.executable, "-m", "gdtui", "train", *place, *options]
        started.append(subprocess.Popen(command, env=cli_env, umask=umask))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_run_and_what_is_handed_over_are_their_users_alone(
    train: Callable[..., "subprocess.Popen[bytes]"], temporary: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    wait = (
        f"while not Path({str(go)!r}).exists() and output.requires_grad and len(output) > 8: "
        "time.sleep(0.01)"
    )
    process = train(wait, "--epochs", "2", umask=0)
    run = tmp_path / "run"
    until(lambda: len(list(run.glob("*.weights"))) == 3 or process.poll() is not None)
    (private,) = handed_over(temporary)
    assert modes(run) == modes(private) == {(True, 0o700), (False, 0o600)}
    assert not list(run.rglob("*.safetensors"))
    go.touch()
    assert process.wait(PATIENCE) == 0
    assert modes(run) == {(True, 0o700), (False, 0o600)}
    assert handed_over(temporary) == []


def test_after_a_kill_nothing_stays_in_the_temporary_folder(
    train: Callable[..., "subprocess.Popen[bytes]"],
    temporary: Path,
    tmp_path: Path,
) -> None:
    """Signals and kills at other times are in test_problem.py."""
    process = train("pass", "--epochs", "1000000")
    until(lambda: len(list((tmp_path / "run").glob("*.weights"))) == 3)
    assert handed_over(temporary)
    process.kill()
    process.wait()
    until(lambda: not handed_over(temporary))
