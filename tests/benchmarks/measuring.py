"""Cost of measuring: training throughput with it and without, interleaved in one run.

`python tests/benchmarks/measuring.py [--seconds 3] [--rounds 5] [--problem synthetic]`. Each
variant trains alone, as fast as the device goes, in this process, with the worker's own loop: a
slice of batches, then the measurer's turn. Prints samples a second of CPU time and their ratio: the
median over rounds.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from engine.log.records import Record, State
from engine.problems import registry
from engine.settings import FULL, BatchSize, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.evaluation import Evaluator
from engine.worker.measuring.measurer import Measurer
from engine.worker.recording.recorder import Recorder

CHUNK = 0.03
"""Seconds of training between two turns of the measurer, as in engine/worker/loop.py."""


class Memory:
    """A log that keeps nothing but a count."""

    is_blocked = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def append(self, record: Record) -> None:
        self.count += 1


def throughput(problem: str, batch_size: BatchSize, seconds: float, *, measuring: bool) -> float:
    """Samples a second of this process's CPU time, so that other load leaves the ratio alone."""
    settings = VariantSettings(batch_size=batch_size)
    trainer = Trainer(registry.load(problem, 0), settings, 0, torch.device("cpu"))
    with tempfile.TemporaryDirectory() as directory:
        recorder = Recorder(Memory(Path(directory) / "a.gdlog"), None)  # type: ignore[arg-type]
        evaluator = Evaluator(recorder.write, None)
        measurer = Measurer(recorder.write, is_on=measuring)
        recorder.begin_trail(trainer)
        batches = 1
        start = time.process_time()
        while (now := time.process_time()) - start < seconds:
            chunk = trainer.advance(batches)
            recorder.write(chunk)
            batches = max(1, min(int(chunk.batches * CHUNK / chunk.duration), batches * 4))
            if evaluator.is_due(trainer):
                evaluator.evaluate(trainer, always_full=False)
            recorder.keep_weights(trainer)
            measurer.look(trainer, State.RUNNING)
        return trainer.samples / (now - start)


def main() -> None:
    """Print a line a batch size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--problem", default="synthetic")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    sizes: tuple[BatchSize, ...] = (FULL, 64, 1)
    throughput(chosen.problem, 64, 1.0, measuring=True)  # what is imported and compiled once
    for size in sizes:
        with_it, without = [], []
        for _ in range(chosen.rounds):
            without.append(throughput(chosen.problem, size, chosen.seconds, measuring=False))
            with_it.append(throughput(chosen.problem, size, chosen.seconds, measuring=True))
        ratio = statistics.median(a / b for a, b in zip(with_it, without, strict=True))
        best = max(with_it) / max(without)
        print(
            f"{chosen.problem} batch {size!s:>4}: {max(without):>12,.0f} samples/s without, "
            f"{max(with_it):>12,.0f} with: ratio {ratio:.3f} (median of {chosen.rounds}), of best "
            f"{best:.3f}"
        )


if __name__ == "__main__":
    main()
