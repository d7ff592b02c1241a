"""A sweep without a terminal: stopped from elsewhere, and gone on with."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from real_app import CONSOLE_SCRIPT
from terminal import PATIENCE, Terminal

from engine.session.host.note import read_notes
from engine.session.host.processes import descendants, is_alive
from gdtui.state.stored_runs import RunState, described

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
LINE = ("sweep", "--batch-sizes", "1000,full", "--device", "cpu")
EPOCHS = 2_000
"""The second arm lasts longer than `gdtui stop` takes to be there."""


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_sweep_outlives_its_terminal_and_goes_on_after_its_end(
    cli_in_process: Cli, cli_env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "sizes"
    line = (*LINE, "--epochs", str(EPOCHS), "--run-dir", str(path))
    with Terminal([*CONSOLE_SCRIPT, *line], env=cli_env) as shell:
        until(lambda: read_notes(path))
        (note,) = read_notes(path)
        assert set(note.variants) == {"Batch GD", "Mini-batch"}
        until((path / "mini-batch").is_dir)
        shell.hang_up()
        until((path / "batch-gd").is_dir)  # the first arm has ended
        first = (path / "mini-batch" / "1-mini-batch.gdlog").read_bytes()
        processes = descendants(note.pid)
        stopped = cli_in_process("stop", path)
        assert (stopped.returncode, stopped.stderr) == (0, "")
        assert [pid for pid in processes if is_alive(pid)] == []
    assert read_notes(path) == []
    assert (listed := described(path)) is not None
    assert listed.state is RunState.STOPPED

    other = cli_in_process(*line, "--seed", "3")
    assert other.returncode == 2
    assert "other settings (seed)" in other.stderr
    done = cli_in_process("sweep", "--run-dir", path, "--json")
    assert done.returncode == 0
    rows = json.loads(done.stdout)["rows"]
    assert [(row["batch_size"], row["state"]) for row in rows] == [
        (1000, "finished"),
        ("full", "finished"),
    ]
    assert (path / "mini-batch" / "1-mini-batch.gdlog").read_bytes() == first
    assert cli_in_process(*line, "--json").stdout == done.stdout  # the same command again
