"""Cost of watching: training speed against a plain loop, the screen's share of a core, bytes.

    python tests/benchmarks/watching.py [--seconds 4] [--repeats 2] [--only compiled]

Speeds are batches a second of wall time, counted in the run's log, in turn with the lesson's loop.
Those of the compiled step count from when it has come in; its build is cold in the first run if
XDG_CACHE_HOME is empty.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.follow import Follower
from engine.log.records import Chunk, Execution

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from screen_share import bare_app, shares  # noqa: E402
from terminal import Terminal  # noqa: E402

ENV: Final = {**os.environ, "PYTHONPATH": str(ROOT)}

LESSON: Final = """
import sys, time
import torch
import torch.nn as nn
import numpy as np

batch_size, warm_up, seconds = int(sys.argv[1]), 1.0, float(sys.argv[2])
X = torch.randn(2000, 10)
y = (X @ torch.randn(10) + 0.1 * torch.randn(2000)).sign().clamp(min=0)
model = nn.Linear(10, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
criterion = nn.BCEWithLogitsLoss()
epoch_losses, batches, counted = [], 0, 0
began = time.perf_counter()
start = None
while True:
    perm = torch.randperm(len(X))
    X_shuf, y_shuf = X[perm], y[perm]
    batch_losses = []
    for i in range(0, len(X), batch_size):
        X_batch = X_shuf[i:i + batch_size]
        y_batch = y_shuf[i:i + batch_size]
        optimizer.zero_grad()
        loss = criterion(model(X_batch).squeeze(-1), y_batch)
        loss.backward()
        optimizer.step()
        batch_losses.append(loss.item())
        batches += 1
    epoch_losses.append(np.mean(batch_losses))
    now = time.perf_counter()
    if start is None and now - began > warm_up:
        start, counted = now, batches
    elif start is not None and now - start > seconds:
        break
print((batches - counted) / (now - start))
"""

DIGITS: Final = (
    LESSON.replace(
        """X = torch.randn(2000, 10)
y = (X @ torch.randn(10) + 0.1 * torch.randn(2000)).sign().clamp(min=0)
model = nn.Linear(10, 1)
""",
        """from engine.problems import registry
problem = registry.load("digits", 0, None)
(X, y), model = problem.train, problem.model()
""",
    )
    .replace("criterion = nn.BCEWithLogitsLoss()", "criterion = problem.loss")
    .replace("model(X_batch).squeeze(-1)", "model(X_batch)")
)
LOOPS: Final = {"synthetic": LESSON, "digits": DIGITS}
GOALS: Final = {("synthetic", 1): 10, ("synthetic", 64): 5, ("digits", 1): 8, ("digits", 64): 3}
"""Batches a second with a compiled step ÷ those of the plain loop, by problem and batch size."""
_MOST_WAIT: Final = 300.0
"""Seconds to wait for a compiled step."""


def lesson(batch_size: int, seconds: float, problem: str = "synthetic") -> float:
    """Batches a second of the lesson's loop, after a second of warming up."""
    arguments = [sys.executable, "-c", LOOPS[problem], str(batch_size), str(seconds)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=ENV)
    return float(done.stdout)


class Watched:
    """`gdtui` at 160×45 and what its log says."""

    def __init__(self, terminal: Terminal, run: Path) -> None:
        self.terminal = terminal
        self._run = run
        self._follower: Follower | None = None
        self.execution: Execution | None = None
        """The latest record on the step that computes updates."""

    def batches(self) -> dict[str, int]:
        """New in the log since the last call, by variant."""
        found: dict[str, int] = {}
        while self._follower is None:
            self._check()
            try:
                self._follower = Follower(RunDirectory.open(self._run))
            except RunDirectoryError:  # not yet
                time.sleep(0.02)
        for name, record in self._follower.read(10**9):
            if isinstance(record, Chunk):
                found[name] = found.get(name, 0) + record.batches
            if isinstance(record, Execution):
                self.execution = record
        return found

    def wait_for(self, variants: int) -> None:
        """Wait until so many have trained, and a second more."""
        seen: set[str] = set()
        while len(seen) < variants:
            self._check()
            seen |= set(self.batches())
            time.sleep(0.02)
        time.sleep(1.0)

    def wait_for_compiled(self) -> float:
        """Wait for a compiled step; returns the seconds since the first batch."""
        while not self.batches():
            time.sleep(0.02)
        start = time.perf_counter()
        while self.execution is None:
            if (passed := time.perf_counter() - start) > _MOST_WAIT:
                raise SystemExit(f"no compiled step after {passed:.0f} s")
            self._check()
            time.sleep(0.05)
            self.batches()
        if not self.execution.compiled:
            raise SystemExit(f"not compiled: {self.execution.reason}")
        return time.perf_counter() - start

    def _check(self) -> None:
        if self.terminal.has_ended:
            raise SystemExit(f"gdtui has ended:\n{self.terminal.text}")


@contextmanager
def watched(*arguments: str) -> Iterator[Watched]:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [
            sys.executable,
            "-m",
            "gdtui",
            "--run-dir",
            str(run),
            "--epochs",
            "1000000",
            *arguments,
        ]
        with Terminal(command, env=ENV) as terminal:
            yield Watched(terminal, run)
            terminal.send("q")
            time.sleep(1.0)
            if not terminal.has_ended:
                terminal.send("s")  # a run that has trained for long asks
            terminal.wait()


def under_gdtui(batch_size: str, seconds: float) -> float:
    """Batches a second of one variant with the screen on."""
    with watched("--batch-sizes", batch_size, "--pace", "free", "--compile", "off") as app:
        app.wait_for(1)
        app.batches()
        start = time.perf_counter()
        time.sleep(seconds)
        (batches,) = app.batches().values()
        return batches / (time.perf_counter() - start)


def report_speeds(seconds: float, repeats: int) -> None:
    print(f"batches a second, medians of {repeats} alternated runs of {seconds:g} s")
    for batch_size in ("full", "64", "1"):
        plain, ours = [], []
        for _ in range(repeats):
            plain.append(lesson(2000 if batch_size == "full" else int(batch_size), seconds))
            ours.append(under_gdtui(batch_size, seconds))
        a, b = statistics.median(ours), statistics.median(plain)
        pairs = ", ".join(f"{one / other:.2f}" for one, other in zip(ours, plain, strict=True))
        print(
            f"  {batch_size:>4}: gdtui {a:>8,.0f}  ÷  lesson {b:>8,.0f}  =  {a / b:.2f}"
            f"   (goal ≥ 1.0; single pairs {pairs})"
        )


def compiled(problem: str, batch_size: int, seconds: float) -> tuple[float, float]:
    """Batches a second with a compiled step and the screen on, and the seconds until it was in."""
    options = ("--problem", problem, "--batch-sizes", str(batch_size), "--compile", "auto")
    with watched(*options, "--pace", "free") as app:
        waited = app.wait_for_compiled()
        time.sleep(1.0)
        app.batches()
        start = time.perf_counter()
        time.sleep(seconds)
        (batches,) = app.batches().values()
        return batches / (time.perf_counter() - start), waited


def report_compiled(seconds: float, repeats: int) -> None:
    print(f"batches a second from the swap on, medians of {repeats} alternated runs")
    for (problem, batch_size), goal in GOALS.items():
        plain, ours, waits = [], [], []
        for _ in range(repeats):
            plain.append(lesson(batch_size, seconds, problem))
            speed, waited = compiled(problem, batch_size, seconds)
            ours.append(speed)
            waits.append(waited)
        a, b = statistics.median(ours), statistics.median(plain)
        print(
            f"  {problem:>9} {batch_size:>2}: gdtui {a:>8,.0f}  ÷  plain {b:>7,.0f}  =  {a / b:.1f}"
            f"   (goal ≥ {goal}; swapped in after {', '.join(f'{each:.0f} s' for each in waits)})"
        )


def report_screen(seconds: float) -> None:
    """Of the process of the screen, without its workers."""
    print(
        f"screen at 160×45, 10 fps, three variants, {seconds:g} s (goals ≤ 5 % of a core, ≤ 90 "
        "KiB/s); × a bare Textual app at the same time"
    )
    for pace in ("1", "free"):
        with watched("--pace", pace, "--compile", "off") as app, bare_app() as bare:
            app.wait_for(3)
            written = app.terminal.bytes_written
            share, ratio = shares((app.terminal.pid, bare), seconds)
            kibibytes = (app.terminal.bytes_written - written) / seconds / 1024
            print(
                f"  pace {pace:>4}: {share:6.1%} of a core, {ratio:.2f} ×, {kibibytes:6.1f} KiB/s"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", choices=("speeds", "compiled", "screen"))
    options = parser.parse_args()
    print(f"load at the start {os.getloadavg()[0]:.1f}")
    if options.only in (None, "speeds"):
        report_speeds(options.seconds, options.repeats)
    if options.only in (None, "compiled"):
        report_compiled(options.seconds, options.repeats)
    if options.only in (None, "screen"):
        report_screen(options.seconds * 2)
