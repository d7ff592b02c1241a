"""Progress of train, sweep and experiment: on a terminal's stderr, and nowhere else."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from terminal import Terminal

LONG = {
    "train": ("--batch-sizes", "64,full", "--epochs", "6", "--pace", "2"),
    "sweep": ("--batch-sizes", "1,full", "--epochs", "5"),
    "experiment": ("sharp-minimum", "--seeds", "30"),
}
SHORT = {
    "train": ("--batch-sizes", "full", "--epochs", "2"),
    "sweep": ("--batch-sizes", "500,full", "--epochs", "1"),
    "experiment": ("sharp-minimum", "--seeds", "2"),
}
PATIENCE = 120


@pytest.mark.parametrize(("name", "columns"), [("train", 20), ("sweep", 80), ("experiment", 80)])
def test_on_a_terminal_one_line_tells_the_time_left_and_is_gone_at_the_end(
    name: str, columns: int, cli_env: dict[str, str], tmp_path: Path
) -> None:
    result = tmp_path / "result"
    command = f"{sys.executable} -m gdtui {name} {' '.join(LONG[name])} --json > {result}"
    env = {**cli_env, "NO_COLOR": "1"}
    with Terminal(["sh", "-c", command], env=env, columns=columns, rows=5) as terminal:
        terminal.wait_for(" left", PATIENCE)
        assert len(terminal.text.split("\n", 1)[0]) < columns
        assert terminal.wait(PATIENCE) == 0
        assert re.search(rb"\d\d:\d\d left", terminal.raw)
        assert b"\n" not in terminal.raw
        assert terminal.text.strip() == ""
    assert json.loads(result.read_text())


@pytest.mark.parametrize("name", SHORT)
def test_quiet_says_nothing_on_a_terminal(
    name: str, cli_env: dict[str, str], tmp_path: Path
) -> None:
    command = f"{sys.executable} -m gdtui {name} {' '.join(SHORT[name])} --quiet"
    out = tmp_path / "out"
    with Terminal(["sh", "-c", f"{command} > {out}"], env=cli_env, columns=80, rows=5) as terminal:
        assert terminal.wait(PATIENCE) == 0
        assert terminal.raw == b""
    assert out.read_text()


@pytest.mark.parametrize("name", SHORT)
def test_without_a_terminal_nothing_is_redrawn(name: str, cli: Callable) -> None:
    result = cli(name, *SHORT[name], "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)
    lines = result.stderr.splitlines()
    assert all(re.fullmatch(rf"gdtui {name}: [ -~·…]+", line) for line in lines), "one a minute"
