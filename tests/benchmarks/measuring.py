"""What measuring costs: training throughput with it and without, interleaved in one run.

`python tests/benchmarks/measuring.py [--seconds 3] [--rounds 5] [--problem synthetic]`. Each variant
trains alone, as fast as the device goes, in this process, with the worker's own loop: a slice of batches,
then the observer's turn. Prints samples a second of CPU time and their ratio: the median over rounds.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from engine.log.records import Record, State
from engine.problems import registry
from engine.settings import FULL, BatchSize, RunSettings, Variant, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.generation import Generation
from engine.worker.observer import Observer
from engine.worker.protocol import WorkerTask

CHUNK = 0.03
"""Seconds of training between two turns of the observer, as in engine/worker/loop.py."""


class Memory:
    """A recorder that keeps nothing but a count."""

    is_blocked = False

    def __init__(self) -> None:
        self.count = 0

    def write(self, record: Record) -> None:
        self.count += 1


def throughput(problem: str, batch_size: BatchSize, seconds: float, *, measuring: bool) -> float:
    """Samples a second of this process's CPU time: whoever else is busy must not change the ratio."""
    settings = VariantSettings(batch_size=batch_size)
    variant = Variant(name="a", settings=settings)
    trainer = Trainer(registry.load(problem, 0), settings, 0, torch.device("cpu"))
    recorder = Memory()
    with tempfile.TemporaryDirectory() as directory:
        task = WorkerTask(
            run=RunSettings(variants=(variant,)), variant=variant, device="cpu",
            log=str(Path(directory) / "a.gdlog"), output="", threads=1, epochs=1, pace=None,
            measuring=measuring,
        )  # fmt: skip
        generation = Generation(1, trainer, recorder, None)  # type: ignore[arg-type]
        observer = Observer(task, recorder)  # type: ignore[arg-type]
        observer.begin(generation)
        batches = 1
        start = time.process_time()
        while (now := time.process_time()) - start < seconds:
            done = generation.advance(batches)
            assert done is not None
            stretch, duration = done
            generation.record(stretch, duration, behind=False)
            batches = max(1, min(int(len(stretch.losses) // 4 * CHUNK / duration), batches * 4))
            if generation.must_evaluate:
                generation.evaluate(wholly=False)
            observer.note(generation, State.RUNNING)
            observer.look(State.RUNNING, generation)
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
            f"{max(with_it):>12,.0f} with: ratio {ratio:.3f} (median of {chosen.rounds}), of best {best:.3f}"
        )


if __name__ == "__main__":
    main()
