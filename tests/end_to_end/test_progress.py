"""Progress of train, sweep and experiment: on a terminal's stderr, and nowhere else."""

import json
import re
import sys
from pathlib import Path

import pytest
from in_process import run_in_process, run_on_terminal
from terminal import Terminal

TRAIN = ("train", "--batch-sizes", "64,full", "--epochs", "6", "--pace", "2")
LONG = {
    "sweep": ("--batch-sizes", "4,full", "--epochs", "5"),
    "experiment": ("sharp-minimum", "--seeds", "30"),
}
SHORT = {
    "train": ("--batch-sizes", "full", "--epochs", "2"),
    "sweep": ("--batch-sizes", "500,full", "--epochs", "1"),
    "experiment": ("sharp-minimum", "--seeds", "2"),
}
PATIENCE = 120


def test_on_a_terminal_one_line_tells_the_time_left_and_is_gone_at_the_end(
    cli_env: dict[str, str], tmp_path: Path
) -> None:
    result, columns = tmp_path / "result", 20
    command = f"{sys.executable} -m gdtui {' '.join(TRAIN)} --json > {result}"
    env = {**cli_env, "NO_COLOR": "1"}
    with Terminal(["sh", "-c", command], env=env, columns=columns, rows=5) as terminal:
        terminal.wait_for(" left", PATIENCE)
        assert len(terminal.text.split("\n", 1)[0]) < columns
        assert terminal.wait(PATIENCE) == 0
        assert re.search(rb"\d\d:\d\d left", terminal.raw)
        assert b"\n" not in terminal.raw
        assert terminal.text.strip() == ""
    assert json.loads(result.read_text())


@pytest.mark.parametrize("name", LONG)
def test_a_sweep_and_an_experiment_do_likewise(name: str, cli_env: dict[str, str]) -> None:
    env = {**cli_env, "NO_COLOR": "1"}
    result, written = run_on_terminal(env, name, *LONG[name], "--json", columns=80)
    assert result.returncode == 0
    assert json.loads(result.stdout)
    *lines, last = written.decode().split("\r\x1b[K")
    assert any(re.search(r"\d\d:\d\d left", line) for line in lines)
    assert max(map(len, lines)) < 80
    assert b"\n" not in written
    assert last == ""


@pytest.mark.parametrize("name", SHORT)
def test_quiet_says_nothing_on_a_terminal(name: str, cli_env: dict[str, str]) -> None:
    result, written = run_on_terminal(cli_env, name, *SHORT[name], "--quiet", columns=80)
    assert (result.returncode, written) == (0, b"")
    assert result.stdout


@pytest.mark.parametrize("name", SHORT)
def test_without_a_terminal_nothing_is_redrawn(name: str, cli_env: dict[str, str]) -> None:
    result = run_in_process({**cli_env, "GDTUI_QUIET": "0"}, name, *SHORT[name], "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)
    lines = result.stderr.splitlines()
    assert all(re.fullmatch(rf"gdtui {name}: [ -~·…]+", line) for line in lines), "one a minute"
