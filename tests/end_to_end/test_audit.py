"""The audit of a loss through the command line, and what a run says after it."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., "subprocess.CompletedProcess[str]"]

FILE = """
import torch
from torch import nn
from torch.nn import functional
from gdtui import Problem

x = torch.randn(80, 6, generator=torch.Generator().manual_seed(0))
names = torch.randint(1, 4, (80,), generator=torch.Generator().manual_seed(1))
ignored = names.masked_fill(torch.arange(80) % 4 == 0, -100)


def contrastive(output, target):
    alike = functional.normalize(output, dim=1) @ functional.normalize(target, dim=1).T
    return functional.cross_entropy(alike / 0.1, torch.arange(len(alike)))


def made(loss, target, **more):
    return Problem(train=(x, target), model=lambda: nn.Linear(6, 6), loss=loss, **more)


def whole():
    return made(contrastive, x)


def unweighted():
    return made(lambda output, target: functional.cross_entropy(output, target), ignored)


def weighted():
    return made(nn.CrossEntropyLoss(), ignored)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(FILE)
    return path


def test_the_command_says_what_it_found(cli_in_process: Cli, file: Path) -> None:
    right = cli_in_process("audit", "--problem", f"{file}:weighted")
    assert (right.returncode, right.stderr) == (0, "")
    assert "averages over targets other than -100, not over samples" in right.stdout
    assert right.stdout.endswith("accumulated batches and micro-batches equal the big batch.\n")
    wrong = cli_in_process("audit", "--problem", f"{file}:unweighted", "--json")
    assert (wrong.returncode, wrong.stderr) == (1, "")
    document = json.loads(wrong.stdout)
    assert document["is_big_batch"] is False
    assert document["audit"]["kind"] == "other average"
    assert document["audit"]["gap"] > 1e-3
    assert document["audit"]["remedy"] == "weight=lambda output, target: (target != -100).sum()"
    assert cli_in_process("audit", "--problem", file.parent / "none.py").returncode == 2
    assert cli_in_process("runs").stdout.startswith("no runs"), "it leaves none"


def test_a_loss_of_the_whole_batch_trains_and_is_marked(cli_in_process: Cli, file: Path) -> None:
    arguments = ("--batch-sizes", "8,16", "--accumulation", "4,1", "--epochs", "1")
    result = cli_in_process("train", "--problem", f"{file}:whole", *arguments, "--json")
    assert result.returncode == 0
    assert "depends on the batch as a whole" in result.stderr
    variants = json.loads(result.stdout)["variants"]
    assert [each["state"] for each in variants] == ["finished", "finished"]
    assert [each["is_big_batch"] for each in variants] == [False, True]
    table = cli_in_process("train", "--problem", f"{file}:whole", *arguments).stdout
    assert "8 ×4 ≠" in table
    assert "≠: not the big batch: " in table


def test_batches_of_one_that_is_ignored_are_no_divergence(
    cli_in_process: Cli, file: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    arguments = ("--batch-sizes", "1", "--accumulation", "4", "--epochs", "2", "--run-dir", run)
    result = cli_in_process("train", "--problem", f"{file}:weighted", *arguments, "--json")
    assert result.returncode == 0
    assert result.stderr == (
        "gdtui train: train[1]: 20 labels are -100, which the loss ignores as no target\n"
    )
    (variant,) = json.loads(result.stdout)["variants"]
    assert variant["state"] == "finished"
    assert variant["is_big_batch"] is True
    losses = [
        row["loss"] for row in csv.DictReader(cli_in_process("export", run).stdout.splitlines())
    ]
    assert losses.count("") == 40
    mean = sum(float(loss) for loss in losses[80:] if loss) / 60
    assert variant["final_loss"] == pytest.approx(mean, rel=1e-6)
