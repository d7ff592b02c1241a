"""Time to the first frame, and to the first losses of all three variants.

    python tests/benchmarks/startup.py [--repeats 7]

Both are ratios of medians over alternated runs: to a bare Textual app, and to the lesson's own
script.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.follow import Follower
from engine.log.records import Chunk

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from terminal import Terminal  # noqa: E402

# Bytecode is kept, as it is where the program was installed: compiling it anew would count as
# start-up.
ENV: Final = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
VARIANTS: Final = 3
LOSS: Final = re.compile(r"loss \d")

BARE: Final = """
from textual.app import App
from textual.widgets import Footer, Header, Static

class Bare(App):
    CSS = "Static { height: 1fr; border: round white; }"

    def compose(self):
        yield Header()
        for number in range(4):
            yield Static(f"number {number}")
        yield Footer()

Bare().run()
"""

LESSON: Final = """
import torch
import torch.nn as nn
import numpy as np

X = torch.randn(2000, 10)
y = (X @ torch.randn(10) + 0.1 * torch.randn(2000)).sign().clamp(min=0)
model = nn.Linear(10, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
criterion = nn.BCEWithLogitsLoss()
perm = torch.randperm(len(X))
X_shuf, y_shuf = X[perm], y[perm]
optimizer.zero_grad()
loss = criterion(model(X_shuf).squeeze(-1), y_shuf)
loss.backward()
optimizer.step()
print(loss.item(), flush=True)
"""
"""The plain loop up to its first update; squeeze(-1), or the lesson's third variant crashes."""


def bare() -> float:
    """Seconds until the bare app's first frame."""
    with Terminal([sys.executable, "-c", BARE], env=ENV) as terminal:
        terminal.wait_for(lambda: b"number 3" in terminal.raw)
        return terminal.time_of(lambda screen: "number 3" in screen)


def app(folder: Path) -> tuple[float, float, float]:
    """Seconds until gdtui's first frame, its whole screen, and all first losses on that.

    What is on the screen is worked out afterwards: here that would cost a core of the two.
    """
    run = Path(tempfile.mkdtemp(dir=folder)) / "run"
    with Terminal([sys.executable, "-m", "gdtui", "--run-dir", str(run)], env=ENV) as terminal:
        terminal.wait_for(lambda: terminal.has_ended or trained(run) == VARIANTS)
        time.sleep(1.0)
        terminal.send("q")
        terminal.wait()
        return (
            terminal.time_of(lambda screen: "importing torch" in screen),
            terminal.time_of(lambda screen: "3 SGD" in screen and "q quit" in screen),
            terminal.time_of(lambda screen: len(LOSS.findall(screen)) >= VARIANTS),
        )


def trained(run: Path) -> int:
    """Count of the variants with a loss in the log."""
    try:
        records = Follower(RunDirectory.open(run)).read()
    except RunDirectoryError:  # not yet
        return 0
    return len({name for name, record in records if isinstance(record, Chunk)})


def lesson() -> float:
    """Seconds until the lesson's script has finished its first update."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", LESSON], stdout=subprocess.PIPE) as script:
        assert script.stdout is not None
        script.stdout.readline()
        return time.perf_counter() - started


def report(repeats: int) -> None:
    bares, ours, lessons = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        app(Path(folder))  # so that there is bytecode
        for _ in range(repeats):
            bares.append(bare())
            ours.append(app(Path(folder)))
            lessons.append(lesson())
    frames, wholes, losses = zip(*ours, strict=True)
    print(f"medians of {repeats} alternated runs, load {os.getloadavg()[0]:.1f}")
    show("first frame", frames, "a bare Textual app", bares, "≤ 1.3")
    show("whole screen", wholes, "a bare Textual app", bares, "none")
    show("all first losses on screen", losses, "the lesson's first update", lessons, "≤ 0.9")


def show(what: str, ours: Sequence[float], than: str, theirs: Sequence[float], goal: str) -> None:
    mine, other = statistics.median(ours), statistics.median(theirs)
    pairs = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    print(
        f"{what:<28} {mine:6.2f} s  ÷  {than} {other:.2f} s  =  {mine / other:.2f}"
        f"   (goal {goal}; single pairs {pairs[0]:.2f}–{pairs[-1]:.2f})"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7)
    report(parser.parse_args().repeats)
