"""Cost of measuring large models: time that training does not get, and peak memory.

`python tests/benchmarks/large_models.py [--seconds 40] [--rounds 2] [--parameters 10000000 ...]`.
Each round trains a fully connected net of that size in two processes, one after the other: plainly,
and with all that a worker does besides training (measurements, evaluations, the check for finite
weights, the trail). Prints the share of CPU time that went into the latter, samples a second of CPU
time, peak memory, and the measurements that were made.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.log.records import Measured, MeasuringSet, Record, State
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer
from engine.worker.evaluation import Evaluator
from engine.worker.measuring.measurer import Measurer
from engine.worker.recording.recorder import Recorder
from engine.worker.weights_check import WeightsCheck

CHUNK = 0.03
INPUTS, CLASSES, SAMPLES = 784, 10, 4096


class Memory:
    """A log that keeps the records of measurements."""

    is_blocked = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.measured: list[str] = []

    def append(self, record: Record) -> None:
        if isinstance(record, Measured):
            found = record.noise or record.sharpness
            assert found
            kind = "noise scale" if record.noise else "sharpness"
            self.measured.append(f"{kind} of {found.samples} samples in {record.cost:.1f} s")
        elif isinstance(record, MeasuringSet):
            self.measured.append(record.detail)

    def check_place(self) -> None:
        """Nothing can take its place."""


class Spent:
    """Seconds of CPU time spent on the parts of what is done besides training."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, do: Callable[[], object]) -> None:
        start = time.process_time()
        do()
        passed = time.process_time() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + passed


def large_problem(parameters: int) -> Problem:
    """Random images, and a net with two hidden layers of about so many parameters."""
    width = round((math.sqrt(INPUTS**2 + 4 * parameters) - INPUTS) / 2)
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(SAMPLES, INPUTS, generator=generator)
    return Problem(
        train=(inputs, torch.randint(0, CLASSES, (SAMPLES,), generator=generator)),
        model=lambda: nn.Sequential(
            nn.Linear(INPUTS, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, CLASSES),
        ),
        loss=nn.functional.cross_entropy,
    )


def train(parameters: int, seconds: float, *, measuring: bool) -> dict[str, Any]:
    """Train for so long; the figures of it."""
    torch.set_num_threads(1)
    problem = large_problem(parameters)
    trainer = Trainer(problem, VariantSettings(batch_size=64, lr=0.01), 0, torch.device("cpu"))
    with tempfile.TemporaryDirectory() as directory:
        log = Memory(Path(directory) / "a.gdlog")
        recorder = Recorder(log, None)  # type: ignore[arg-type]
        evaluator, measurer = Evaluator(recorder.write, None), Measurer(recorder.write, is_on=True)
        check = WeightsCheck()
        if measuring:
            evaluator.evaluate_first(trainer)
            recorder.begin_trail(trainer)
        spent = Spent()
        begin, cpu, batches = time.perf_counter(), time.process_time(), 1
        while time.perf_counter() - begin < seconds:
            chunk = trainer.advance(batches)
            batches = max(1, min(int(chunk.batches * CHUNK / chunk.duration), batches * 4))
            if not measuring:
                continue
            recorder.write(chunk)
            spent.time("check", lambda: check.has_failed(trainer))
            if evaluator.is_due(trainer):
                spent.time("evaluation", lambda: evaluator.evaluate(trainer, always_full=False))
            spent.time("trail", lambda: recorder.keep_weights(trainer))
            spent.time("measuring", lambda: measurer.look(trainer, State.RUNNING))
        total = time.process_time() - cpu
        return {
            "speed": trainer.samples / total,
            "besides": sum(spent.seconds.values()) / total,
            "parts": {name: seconds / total for name, seconds in spent.seconds.items()},
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "measured": log.measured,
        }


def in_process(parameters: int, seconds: float, *, measuring: bool) -> dict[str, Any]:
    """The same in a process of its own, for its peak memory."""
    call = [sys.executable, __file__, "--seconds", str(seconds), "--parameters", str(parameters)]
    call += ["--child", "on" if measuring else "off"]
    found: dict[str, Any] = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
    return found


def main() -> None:
    """Print some lines a size and round."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--parameters", type=int, nargs="+", default=[10**7, 10**8])
    parser.add_argument("--child", choices=("on", "off"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        size = chosen.parameters[0]
        print(json.dumps(train(size, chosen.seconds, measuring=chosen.child == "on")))
        return
    for size in chosen.parameters:
        for _ in range(chosen.rounds):
            plain = in_process(size, chosen.seconds, measuring=False)
            full = in_process(size, chosen.seconds, measuring=True)
            print(
                f"{size:,} parameters, load {os.getloadavg()[0]:.1f}: besides training "
                f"{full['besides']:.1%} of the time, "
                f"{full['speed']:,.0f} samples/s (plain {plain['speed']:,.0f}), "
                f"peak {full['peak']:,.0f} MiB (plain {plain['peak']:,.0f})",
                ", ".join(f"{name} {share:.2%}" for name, share in full["parts"].items()),
                *full["measured"],
                sep="\n  ",
                flush=True,
            )


if __name__ == "__main__":
    main()
