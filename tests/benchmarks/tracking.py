"""Cost of `gdtui.track` to a plain loop: microseconds a step, and percent at steps of 5 ms.

    python tests/benchmarks/tracking.py [--blocks 60]

The same loop with and without `run.step` or `run.log`, in short blocks that take turns; medians of
wall time and of CPU time, which other programs on the machine disturb less. A tiny model shows the
cost of a step; steps of 5 ms multiply matrices in between, so that the thread that writes the log
competes for the interpreter.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from engine.tracking.api import track

torch.set_num_threads(1)
STEP_SECONDS = 0.005


class Problem:
    """A tiny model, its data and optimiser."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(10, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.x, self.y = torch.randn(32, 10), torch.randn(32, 1)
        self.large = torch.randn(256, 256)

    def loss(self, work: int) -> torch.Tensor:
        """The loss after so many multiplications of matrices."""
        for _ in range(work):
            self.large @ self.large
        return nn.functional.mse_loss(self.model(self.x), self.y)


Step = Callable[[Problem, torch.Tensor], None]
Made = tuple[Step, Callable[[], None]]


def plain(problem: Problem, loss: torch.Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]
    problem.optimizer.step()
    problem.optimizer.zero_grad()


class Timed:
    """A loop of one kind, and the seconds of its steps, a pair for each block."""

    def __init__(self, make: Callable[[Problem], Made]) -> None:
        self._problem = Problem()
        self._step, self.close = make(self._problem)
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def block(self, steps: int, work: int) -> None:
        """Train some steps; the CPU time is that of the whole process."""
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(steps):
            self._step(self._problem, self._problem.loss(work))
        self.wall.append((time.perf_counter() - wall) / steps)
        self.cpu.append((time.process_time() - cpu) / steps)


def work_of(seconds: float) -> int:
    """Multiplications that take so long."""
    large, count, began = torch.randn(256, 256), 0, time.process_time()
    while time.process_time() - began < 0.5:
        large @ large
        count += 1
    return max(1, round(count * seconds / 0.5))


def untouched(_: Problem) -> tuple[Step, Callable[[], None]]:
    return plain, lambda: None


def with_step(problem: Problem) -> tuple[Step, Callable[[], None]]:
    run = track(problem.optimizer, name="step")
    return lambda _, loss: run.step(loss, samples=32), run.close


def with_log(problem: Problem) -> tuple[Step, Callable[[], None]]:
    run = track(problem.optimizer, name="log")

    def step(problem: Problem, loss: torch.Tensor) -> None:
        plain(problem, loss)
        run.log(loss=loss, samples=32)

    return step, run.close


KINDS = {"plain": untouched, "step": with_step, "log": with_log}


def report(steps: int, blocks: int, work: int) -> None:
    """Print the medians over blocks of so many steps."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GDTUI_RUN_DIR"] = str(Path(folder) / "run")
        loops = {name: Timed(make) for name, make in KINDS.items()}
        for block in range(blocks):
            for name in [*KINDS] if block % 2 else [*reversed(KINDS)]:
                loops[name].block(steps, work)
        for loop in loops.values():
            loop.close()
    for name in ("step", "log"):
        for kind in ("wall", "cpu"):
            plain_times, times = getattr(loops["plain"], kind), getattr(loops[name], kind)
            base = statistics.median(plain_times[2:])
            extra = statistics.median(
                a - b for a, b in zip(times[2:], plain_times[2:], strict=True)
            )
            print(
                f"run.{name}, {kind}: {1e6 * extra:+.1f} µs a step, {100 * extra / base:+.2f}% of "
                f"steps of {1e3 * base:.3f} ms"
            )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--blocks", type=int, default=60)
    blocks = parser.parse_args().blocks
    report(500, blocks, 0)
    report(25, blocks, work_of(STEP_SECONDS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
