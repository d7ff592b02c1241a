"""Runs that go on after everything was killed; tests/trouble/resume_kills.py does it more often."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

ROUNDS = "1"
SCRIPT = Path(__file__).resolve().parents[1] / "trouble" / "resume_kills.py"

Cli = Callable[..., "CompletedProcess[str]"]


@pytest.mark.slow
def test_the_export_of_killed_runs_equals_that_of_undisturbed_ones(
    cli_env: dict[str, str],
) -> None:
    command = [sys.executable, str(SCRIPT), "--rounds", ROUNDS, "--seed", "3"]
    done = subprocess.run(command, env=cli_env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "equal after" in done.stdout


def test_a_run_that_cannot_go_on_is_refused_in_a_line(tmp_path: Path, cli_in_process: Cli) -> None:
    run = tmp_path / "run"
    first = cli_in_process(
        "train", "--run-dir", run, "--epochs", "1", "--batch-sizes", "64", "--resume"
    )
    assert first.returncode == 0, first.stderr
    other = cli_in_process("train", "--run-dir", run, "--epochs", "1", "--lr", "0.5", "--resume")
    assert other.returncode == 2
    assert "was begun with another --lr" in other.stderr
    assert len(other.stderr.splitlines()) == 1
    nowhere = cli_in_process("train", "--resume")
    assert (nowhere.returncode, len(nowhere.stderr.splitlines())) == (2, 1)
    again = cli_in_process("resume", run, "--epochs", "2", "--json")
    assert again.returncode == 0, again.stderr
    forked = cli_in_process("fork", run, "--at", "40", "--batch-size", "128", "--json")
    assert forked.returncode == 0, forked.stderr
    (old, new) = json.loads(forked.stdout)["variants"]
    assert new["origin"] == {"variant": old["name"], "generation": 1, "batch": 40}
    assert (old["origin"], new["name"], new["batch_size"]) == (None, "Mini-batch 2", 128)
    weights = tmp_path / "w.safetensors"
    written = cli_in_process("weights", run, "Mini-batch", "-o", weights)
    assert written.returncode == 0, written.stderr
    assert "epoch 2" in written.stdout
    unknown = cli_in_process("weights", run, "Mini", "-o", weights)
    assert (unknown.returncode, len(unknown.stderr.splitlines())) == (2, 1)
