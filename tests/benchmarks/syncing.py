"""Cost of bringing the log onto the disk once a second: batches/s with it ÷ without it.

    python tests/benchmarks/syncing.py [--dir .] [--seconds 5] [--rounds 11]

The loop of a worker, in this process: it trains, records and evaluates; no screen reads. In turn
with and without, first one, then the other, so that a machine that warms up favours neither. Run it
on a quiet machine, with `--dir` on the disk in question: /tmp may be memory. Goal: medians ≥ 0.98.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from engine.log.writing.background_sync import BackgroundSync
from engine.log.writing.writer import LogWriter
from engine.problems import registry
from engine.settings import FULL, BatchSize, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.evaluation import Evaluator
from engine.worker.pace import CHUNK_SECONDS
from engine.worker.recording.recorder import Recorder


@contextmanager
def syncing(is_on: bool) -> Iterator[None]:
    """Sync logs in the block as the program does, or not at all."""
    note, finish = BackgroundSync.note, BackgroundSync.finish
    if not is_on:
        BackgroundSync.note = lambda self, written: None  # type: ignore[method-assign]
        BackgroundSync.finish = lambda self: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        BackgroundSync.note, BackgroundSync.finish = note, finish  # type: ignore[method-assign]


def throughput(folder: Path, size: BatchSize, seconds: float) -> float:
    """Batches a second."""
    trainer = Trainer(
        registry.load("synthetic", 0), VariantSettings(batch_size=size), 0, torch.device("cpu")
    )
    with LogWriter(folder / "a.gdlog") as log:
        recorder = Recorder(log, None)  # type: ignore[arg-type]
        evaluator = Evaluator(recorder.write, None)
        batches = 1
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            begins = trainer.at_epoch_end
            chunk = trainer.advance(batches)
            recorder.write_losses(chunk, is_whole_epoch=begins and trainer.at_epoch_end)
            batches = max(1, min(int(chunk.batches * CHUNK_SECONDS / chunk.duration), batches * 4))
            if evaluator.is_due(trainer) and evaluator.is_affordable:
                evaluator.evaluate(trainer, always_full=False)
    return trainer.batches / elapsed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for size in (FULL, 64, 1):
        rates: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(options.rounds):
            for is_on in (True, False) if turn % 2 else (False, True):
                with tempfile.TemporaryDirectory(dir=options.dir) as folder, syncing(is_on):
                    rates[is_on].append(throughput(Path(folder), size, options.seconds))
        pairs = [on / off for on, off in zip(rates[True], rates[False], strict=True)]
        medians = {is_on: statistics.median(each) for is_on, each in rates.items()}
        print(
            f"batch {size}: {medians[True]:,.0f} batches/s ÷ {medians[False]:,.0f} = "
            f"{medians[True] / medians[False]:.3f}; single pairs {min(pairs):.2f}–{max(pairs):.2f}"
            f", load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
