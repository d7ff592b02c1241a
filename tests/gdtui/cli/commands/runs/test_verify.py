"""`gdtui verify`: a line a file, the first damage below, and an exit status for scripts."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from forged import forge
from plain_chunks import plain_chunk

from engine.log.directory import RunDirectory

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def cli(cli_in_process: Cli) -> Cli:
    """These commands need no process of their own."""
    return cli_in_process


def test_a_whole_run(cli: Cli, make_run: MakeRun) -> None:
    result = cli("verify", make_run().path)
    assert (result.returncode, result.stderr) == (0, "")
    head, *lines = map(str.split, result.stdout.splitlines())
    assert head == ["file", "state", "records", "bytes"]
    assert [line[:3] for line in lines] == [
        ["run.json", "whole", "–"],
        ["session.gdlog", "whole", "1"],
        ["1-mini-batch.gdlog", "whole", "8"],
        ["2-sgd.gdlog", "whole", "8"],
    ]


def test_a_damaged_run(cli: Cli, make_run: MakeRun) -> None:
    run = make_run()
    forge(run.variant_log("SGD"), [plain_chunk(1, 5), {"type": "End", "wall_time": "\x1b[2J"}])
    result = cli("verify", run.path)
    assert (result.returncode, result.stderr) == (1, "")
    *_, last = result.stdout.splitlines()
    assert last.startswith("2-sgd.gdlog: cannot be right")
    assert "record 2" in last
    assert all(map(str.isprintable, result.stdout.splitlines()))

    result = cli("verify", run.path, "--json")
    assert result.returncode == 1
    found = json.loads(result.stdout)
    assert (found["is_whole"], found["is_running"], found["run_dir"]) == (
        False,
        False,
        str(run.path),
    )
    damaged = found["files"][3]
    assert (damaged["file"], damaged["state"], damaged["records"]) == ("2-sgd.gdlog", "damaged", 1)
    assert damaged["damage"]["record"] == 2


def test_a_run_is_found_by_its_name(cli: Cli, make_run: MakeRun, runs_root: Path) -> None:
    make_run(runs_root / "mine")
    assert cli("verify", "mine").returncode == 0


def test_no_run(cli: Cli, tmp_path: Path) -> None:
    result = cli("verify", tmp_path / "no\x1b[31mwhere")
    assert (result.returncode, result.stdout) == (2, "")
    assert "holds no run" in result.stderr
    assert "\x1b" not in result.stderr
