"""Delay of `gdtui attach` on a long run: to its first frame, to all its curves.

    python tests/benchmarks/attaching.py [--batches 1000000] [--repeats 7]

The run has three variants with so many batches each; its host trains no further. In turn with a
bare Textual app, as in startup.py.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from startup import ENV, bare

from engine.log.directory import RunDirectory
from engine.log.records import Chunk, Evaluation, Record, Started, State, StateChanged
from engine.log.writing.writer import LogWriter
from engine.session import Session
from engine.settings import RunSettings, Variant, VariantSettings

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from hosts import hosted  # noqa: E402
from terminal import Terminal  # noqa: E402

N: Final = 2_000
SIZES: Final = {"Mini-batch 64": 64, "Mini-batch 16": 16, "SGD": 1}
CHUNK: Final = 150
"""Batches that a worker puts into one record of 30 ms."""


def records(settings: VariantSettings, size: int, batches: int) -> Iterator[Record]:
    """A variant that has trained so long: a chunk for 30 ms or an epoch, a loss on all data."""
    rng = np.random.default_rng(size)
    yield Started(
        generation=1,
        settings=settings,
        n=N,
        model="Linear(10,1)",
        parameters=11,
        device="cpu",
        threads=1,
        epochs=10**6,
        pace=None,
        wall_time=time.time(),
    )
    yield StateChanged(generation=1, state=State.RUNNING)
    batch, samples, seconds = 1, 0, 0.0
    while batch <= batches:
        epoch, start = divmod(samples, N)
        count = min(CHUNK, -(-(N - start) // size), batches - batch + 1)
        stop = min(start + count * size, N)
        level = 0.1 + 0.5 / (1 + samples / 1e5)
        yield Chunk(
            generation=1,
            epoch=epoch + 1,
            batch=batch,
            update=batch,
            in_update=0,
            samples=samples,
            seconds=seconds,
            duration=0.03,
            batch_size=size,
            last_batch_size=stop - start - (count - 1) * size,
            accumulation_steps=1,
            lr=settings.lr,
            losses=rng.normal(level, 0.02, count).astype("<f4").tobytes(),
        )
        batch, samples, seconds = batch + count, samples + stop - start, seconds + 0.03
        if stop == N:
            yield Evaluation(
                generation=1,
                epoch=epoch + 1,
                batches=batch - 1,
                updates=batch - 1,
                samples=samples,
                seconds=seconds,
                full_loss=level,
            )


@contextmanager
def long_run(folder: Path, batches: int) -> Iterator[Path]:
    """A run of that length, with a host."""
    variants = tuple(
        Variant(name=name, settings=VariantSettings(batch_size=size))
        for name, size in SIZES.items()
    )
    run = RunDirectory.create(folder / "run", RunSettings(variants=variants, epochs=10**6), "0")
    for variant in variants:
        with LogWriter(run.variant_log(variant.name)) as log:
            for record in records(variant.settings, SIZES[variant.name], batches):
                log.append(record)
    with Session(run) as session, hosted(session, Path("/tmp")):
        yield run.path


def attach(run: Path, batches: int) -> tuple[float, float, float]:
    """Seconds until the first frame, the whole screen, and the last batch of each variant."""
    with Terminal([sys.executable, "-m", "gdtui", "attach", str(run)], env=ENV) as terminal:
        wanted = f"{batches / 1e6:.2f}M updates"
        time.sleep(3.0)  # what is on the screen is worked out afterwards, since that takes a core
        while terminal.text.count(wanted) < len(SIZES):
            time.sleep(1.0)
        terminal.send("d")
        terminal.wait()
        return (
            terminal.time_of(lambda screen: "gdtui ·" in screen),
            terminal.time_of(lambda screen: "3 SGD" in screen and "q quit" in screen),
            terminal.time_of(lambda screen: screen.count(wanted) == len(SIZES)),
        )


def report(batches: int, repeats: int) -> None:
    bares, ours = [], []
    with tempfile.TemporaryDirectory() as folder, long_run(Path(folder), batches) as run:
        attach(run, batches)  # so that there is bytecode
        for _ in range(repeats):
            bares.append(bare())
            ours.append(attach(run, batches))
    frames, wholes, curves = zip(*ours, strict=True)
    print(f"{batches:,} batches a variant; medians of {repeats}, load {os.getloadavg()[0]:.1f}")
    ratio = statistics.median(a / b for a, b in zip(frames, bares, strict=True))
    print(f"first frame {statistics.median(frames):.2f} s ÷ bare {statistics.median(bares):.2f} s")
    print(f"  = {ratio:.2f}, median of the pairs (goal ≤ 1.5)")
    print(f"whole screen {statistics.median(wholes):.2f} s")
    later = statistics.median(b - a for a, b in zip(frames, curves, strict=True))
    print(f"all curves {later:.2f} s after the first frame (goal ≤ 0.5)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    report(options.batches, options.repeats)
