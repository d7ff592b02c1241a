"""SIGKILL of a whole run at random moments, then `gdtui train --resume`: the export must be equal.

Each round kills every process of a run once or more often at a random batch, goes on, and compares
the exported rows with those of a run that was never disturbed. Runs with momentum, AdamW, dropout,
accumulation, schedules and `--loader-workers 2`; on the CPU.

    python tests/trouble/resume_kills.py [--rounds 10] [--in-a-row 2] [--seed 0]
    python tests/trouble/resume_kills.py --rounds 20 --in-a-row 5     100 kills
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.session.host.processes import descendants

PROBLEM: Final = """\
import random
import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset
from gdtui import Problem

class Noisy(Dataset):
    def __len__(self):
        return 90
    def __getitem__(self, k):
        x = torch.full((4,), k / 90) + 0.1 * torch.rand(4) + 0.1 * random.random()
        return x, torch.tensor([float(k % 3) + 0.1 * float(np.random.rand())])

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1)
        )
        self.passes = 0
    def forward(self, x):
        self.passes += self.training
        return super().forward(x) * (1 + 0.1 / (1 + self.passes))

def problem():
    held_out = torch.rand(20, 4), torch.rand(20, 1)
    return Problem(train=Noisy(), validation=held_out, model=Net, loss=nn.MSELoss())
"""
_SECONDS: Final = 3.0
"""Training time of a run is 2 s; this is the most that may pass until the last of its kills."""
PLAIN: Final = ("--epochs", "4", "--pace", "2", "--seed", "7", "--threads", "1")
RUNS: Final[dict[str, tuple[str, ...]]] = {
    "momentum": ("--batch-sizes", "64,8", "--momentum", "0.9"),
    "adamw": ("--batch-sizes", "32,16", "--optimizer", "adamw(weight_decay=0.1)", "--clip", "1"),
    "schedules": ("--batch-sizes", "32,full", "--schedule", "cosine,wsd", "--warmup", "0.2"),
    "accumulation": ("--batch-sizes", "8", "--accumulation", "16", "--optimizer", "adam"),
    "own": ("--problem", "own.py", "--batch-sizes", "8,6", "--accumulation", "4,3",
            "--optimizer", "adamw,sgd", "--loader-workers", "2", "--schedule", "linear"),
}  # fmt: skip


def command(run: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "gdtui", "train", "--run-dir", str(run), "--quiet", "--resume",
            *PLAIN, *options]  # fmt: skip


def kill_all(host: subprocess.Popen[bytes]) -> None:
    """Kill a host and every process below it, the newest first so that none sees another's end."""
    for pid in (host.pid, *descendants(host.pid)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    host.wait()


def losses(run: Path) -> int:
    """Bytes of the logs so far, as a measure of the progress."""
    return sum(log.stat().st_size for log in run.glob("[0-9]*.gdlog"))


def kill_within(run: Path, options: tuple[str, ...], folder: Path, moment: float) -> bool:
    """Train, and kill everything after some seconds of training; False if it had ended."""
    host = subprocess.Popen(command(run, *options), cwd=folder, stdout=subprocess.DEVNULL)
    before, begun = (losses(run) if run.exists() else 0), None
    while host.poll() is None:
        if begun is None and run.exists() and losses(run) > before + 700:
            begun = time.monotonic()
        if begun is not None and time.monotonic() - begun >= moment:
            kill_all(host)
            return True
        time.sleep(0.005)
    return False


def finish(run: Path, options: tuple[str, ...], folder: Path) -> list[str]:
    """Train to the end; the exported rows without the seconds."""
    subprocess.run(command(run, *options), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    export = [sys.executable, "-m", "gdtui", "export", str(run)]
    text = subprocess.run(export, check=True, capture_output=True, text=True).stdout
    rows = [line.split(",") for line in text.splitlines()]
    return [",".join(row[:6] + row[7:]) for row in rows]


def main(rounds: int, in_a_row: int, seed: int) -> int:
    draw, kills = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "own.py").write_text(PROBLEM)
        expected = {
            kind: finish(folder / f"{kind}-undisturbed", options, folder)
            for kind, options in [*RUNS.items()][:rounds]
        }
        for number in range(rounds):
            kind = [*RUNS][number % len(RUNS)]
            run = folder / f"{kind}-{number}"
            for _ in range(in_a_row if number % 2 or in_a_row > 2 else 1):
                kills += kill_within(run, RUNS[kind], folder, draw.uniform(0, _SECONDS / in_a_row))
            if finish(run, RUNS[kind], folder) != expected[kind]:
                print(f"round {number}, {kind}: the export differs; see {run}")
                return 1
            print(f"round {number + 1} of {rounds}: {kind}, equal after {kills} kills", flush=True)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--in-a-row", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.exit(main(options.rounds, options.in_a_row, options.seed))
