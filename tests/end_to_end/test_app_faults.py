"""Faults while the app trains: each is told on the screen, and the rest goes on."""

import csv
import resource
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from real_app import StartApp

from engine.log.records import State

Cli = Callable[..., "CompletedProcess[str]"]
FULL, MINI, SGD = "Batch GD", "Mini-batch", "SGD"


def test_a_loss_that_is_not_finite_stops_one_variant(start_app: StartApp) -> None:
    app = start_app("--lr", "0.01,0.01,1e38", "--epochs", "1000")
    app.terminal.wait_for("─ diverged ─╯")
    assert app.tallies()[SGD].state is State.DIVERGED
    app.wait_for_progress(FULL, MINI)
    app.terminal.wait_for(lambda: app.terminal.text.count("─ running ─╯") == 2)
    app.terminal.send("q")
    assert app.terminal.wait() == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's prlimit")
def test_a_full_disk_is_told_and_space_goes_on_without_a_loss(
    start_app: StartApp, cli_in_process: Cli
) -> None:
    """A limit on the size of the worker's files acts as a full disk: the write fails alike."""
    app = start_app("--batch-sizes", "4", "--epochs", "4", "--pace", "2")
    app.wait_for_losses()
    worker, log = app.worker(MINI), app.run.variant_log(MINI)
    before = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (log.stat().st_size + 500, before[1]))
    app.terminal.wait_for("│ cannot write")
    app.terminal.wait_for("the limit on the size of a file is reached")

    resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
    app.terminal.send(" ")
    app.terminal.wait_for("results")
    assert "│ cannot write" not in app.terminal.text
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    result = cli_in_process("export", app.path)
    assert (result.returncode, result.stderr) == (0, "")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [int(row["batch"]) for row in rows] == list(range(1, 4 * 500 + 1))


def test_a_run_directory_that_cannot_be_written_is_one_line(
    start_app: StartApp, tmp_path: Path
) -> None:
    """A file in the way: root may write anywhere else."""
    (tmp_path / "run0").write_text("")
    app = start_app()
    assert app.terminal.wait() == 2
    assert len(app.terminal.raw.decode().strip().splitlines()) == 1
    assert "--run-dir" in app.terminal.text
    app.wait_for_nobody()
