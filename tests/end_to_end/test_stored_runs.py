"""Runs of earlier formats open, export and show as when written, and stay untouched.

`stored_runs/format-1` was trained in the app: batch size, lr and momentum changed in mid-run, one
variant restarted. The CSV files beside it are the exports of the version that wrote it.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from terminal import Terminal

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.summary import Tally

STORED = Path(__file__).resolve().parents[1] / "stored_runs"
FORMATS = sorted(path.name for path in STORED.iterdir() if path.is_dir())


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run."""
    return {path.name: path.read_bytes() for path in run.iterdir()}


@pytest.fixture(params=FORMATS)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a stored run, among the runs of its user."""
    return shutil.copytree(
        STORED / request.param, tmp_path / "state" / "gdtui" / "runs" / request.param
    )


@pytest.mark.parametrize(("options", "suffix"), [([], ""), (["--measurements"], "-measurements")])
def test_the_export_is_that_of_the_version_that_wrote_it(
    stored: Path, cli_in_process: Callable, options: list[str], suffix: str
) -> None:
    before = contents(stored)
    result = cli_in_process("export", *options, stored)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (STORED / f"{stored.name}{suffix}.csv").read_text()
    assert contents(stored) == before


def test_every_record_is_read(stored: Path) -> None:
    run = RunDirectory.open(stored)
    tallies = {one.name: Tally(one.name, one.settings) for one in run.info.settings.variants}
    follower = Follower(run)
    for name, record in follower.read(10**9):
        tallies[name].add(record)
    assert (follower.unfinished(), follower.damage) == ([], [])
    assert [(tally.batches, tally.generation) for tally in tallies.values()] == [
        (2, 2),
        (64, 1),
        (1374, 1),
    ]
    assert [tally.full_loss for tally in tallies.values()] == [
        0.8038159608840942,
        0.6208887100219727,
        0.1617429256439209,
    ]


def test_it_is_listed_as_finished(stored: Path, cli_in_process: Callable) -> None:
    (listed,) = json.loads(cli_in_process("runs", "--json").stdout)["runs"]
    assert (Path(listed["run_dir"]).name, listed["state"]) == (stored.name, "finished")


def test_it_is_watched(stored: Path, cli_env: dict[str, str]) -> None:
    before = contents(stored)
    command = [sys.executable, "-m", "gdtui", "watch", str(stored)]
    with Terminal(command, env=cli_env, columns=160, rows=45) as terminal:
        terminal.wait_for(lambda: "back to the variants" in terminal.text)
        terminal.send("i")
        terminal.wait_for(lambda: "◆ all data 0.162" in terminal.text)
        for said in (
            "batch 1→8",
            "lr 0.01→0.02",
            "momentum 0→0.9",
            "noise scale 256",
            "1,374 updates",
        ):
            terminal.wait_for(said)
        terminal.send("q")
        assert terminal.wait() == 0
    assert contents(stored) == before
