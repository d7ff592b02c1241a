"""Cost of a history: memory a batch, losses a second from a log, milliseconds to draw any length.

    python tests/benchmarks/history.py [--batches 10000000]

All figures of one call come from one machine and one run: read them as ratios.
"""

import argparse
import itertools
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from engine.log.file import LogReader
from engine.log.records import Chunk, Evaluation, Started
from engine.log.summary import Tally
from engine.log.writing.writer import LogWriter
from engine.settings import VariantSettings
from gdtui.chart.scene.polyline import Axis
from gdtui.control.viewer import READ_BYTES
from gdtui.history import History
from gdtui.state.variant import VariantState

N: Final = 2_000
COLUMNS: Final = 200
CHUNK: Final = 1_000
REPEATS: Final = 30


def chunks(batches: int, size: int, most: int) -> Iterator[Chunk]:
    """A training at one batch size, in chunks of at most `most` batches."""
    rng = np.random.default_rng(0)
    batch, samples, seconds = 1, 0, 0.0
    while batch <= batches:
        epoch, start = divmod(samples, N)
        left = -(-(N - start) // size)
        count = min(most, left, batches - batch + 1)
        stop = min(start + count * size, N)
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
            lr=0.01,
            losses=rng.normal(0.5, 0.05, count).astype("<f4").tobytes(),
        )
        batch, samples, seconds = batch + count, samples + stop - start, seconds + 0.03


def filled(batches: int, size: int = 1, most: int = CHUNK) -> tuple[History, float]:
    """A history, and the seconds that its appends took."""
    history, spent = History(N), 0.0
    for chunk in chunks(batches, size, most):
        before = time.perf_counter()
        history.append(chunk)
        spent += time.perf_counter() - before
    return history, spent


def milliseconds(draw: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median of some calls."""
    times = []
    for _ in range(repeats):
        before = time.perf_counter()
        draw()
        times.append(time.perf_counter() - before)
    return float(np.median(times)) * 1e3


def report_storage(batches: int) -> None:
    print(f"{'':<34}{'bytes a batch':>14}{'batches a second':>18}{'µs a chunk':>12}")
    for label, size, most, share in (
        (f"batch 1, chunks of {CHUNK:,}", 1, CHUNK, 1.0),
        ("batch 64 (32 an epoch)", 64, CHUNK, 0.2),
        ("full batch, one batch a chunk", N, 1, 0.02),
    ):
        count = int(batches * share)
        history, spent = filled(count, size, most)
        made = sum(1 for _ in chunks(min(count, 100_000), size, most)) * count / min(count, 100_000)
        print(
            f"{label:<34}{history.nbytes / count:>14.2f}{count / spent:>18,.0f}"
            f"{spent / made * 1e6:>12.1f}"
            f"   ({count:,} batches)"
        )


def report_reading(batches: int) -> None:
    """Cost of reading a log into the state of the screen, as `gdtui watch` does."""
    print(f"\n{'CPU for a log of':<34}{'s for 1M':>16}{'M batches/s':>13}{'3 x 100,000/s':>15}")
    for label, size, most in (
        (f"batch 1, chunks of {CHUNK:,}", 1, CHUNK),
        ("batch 1, chunks of 150", 1, 150),
        ("batch 64, evaluated each epoch", 64, CHUNK),
    ):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "one.gdlog"
            write_log(log, batches, size, most)
            spent = statistics.median(reading_seconds(log) for _ in range(3)) / batches
        print(f"{label:<34}{spent * 1e6:>16.3f}{1e-6 / spent:>13.1f}{spent * 3e5:>15.1%}")


def write_log(path: Path, batches: int, size: int, most: int) -> None:
    """A log of such a training."""
    settings = VariantSettings(batch_size=size)
    with LogWriter(path) as log:
        log.append(
            Started(
                generation=1, settings=settings, n=N, model="Linear(10,1)", parameters=11,
                device="cpu", threads=1, epochs=10**6, pace=None,
            )
        )  # fmt: skip
        for chunk in chunks(batches, size, most):
            log.append(chunk)
            if chunk.end_samples % N == 0:
                done = chunk.batch + chunk.batches - 1
                log.append(
                    Evaluation(
                        generation=1, epoch=chunk.epoch, batches=done, updates=done,
                        samples=chunk.end_samples, seconds=chunk.seconds, full_loss=0.5,
                    )
                )  # fmt: skip


def reading_seconds(path: Path) -> float:
    """CPU seconds to read a log into the state of its variant."""
    reader, state = LogReader(path), VariantState(0, Tally("one", VariantSettings()))
    before = time.process_time()
    while True:
        for part in reader.portion(READ_BYTES):
            state.add(part)
        if not reader.has_more:
            return time.process_time() - before


def report_drawing(batches: int) -> None:
    print(f"\nms for {COLUMNS} columns, median of {REPEATS}")
    names = ("polyline", "smoothed", "means", "extremes")
    print(f"{'batches':>12}" + "".join(f"{name:>12}" for name in names))
    for count in (1_000, 100_000, batches):
        history, _ = filled(count)
        for axis in Axis:
            print(
                f"{count:>12,}"
                + "".join(f"{ms:>12.3f}" for ms in afresh(history, axis))
                + f"   {axis}"
            )
        print(
            f"{count:>12,}"
            + "".join(f"{ms:>12.3f}" for ms in extended(history))
            + "   50 new batches each time"
        )
        print(f"{'':>12}spread {milliseconds(history.spread):.3f}")


def afresh(history: History, axis: Axis) -> list[float]:
    """Each time another window."""
    high = (history.end(axis) * (1 + i / 1_000) for i in itertools.count())
    return [
        milliseconds(lambda: history.polyline(axis, 0.0, next(high), COLUMNS)),
        milliseconds(lambda: history.smoothed(axis, 0.0, next(high), COLUMNS, 0.25)),
        milliseconds(lambda: history.means(axis, 0.0, next(high), COLUMNS)),
        milliseconds(lambda: history.extremes(axis, 0.0, next(high))),
    ]


def extended(history: History) -> list[float]:
    """The same window, while the history grows: what a frame costs."""
    size = len(history)
    coming = (chunk for chunk in chunks(size + 50 * 4 * REPEATS, 1, 50) if chunk.batch > size)
    window = (Axis.SAMPLES, 0.0, history.end(Axis.SAMPLES) * 2 + 1e4)

    def grown(draw: Callable[[], object]) -> float:
        def timed() -> float:
            history.append(next(coming))
            return milliseconds(draw, 1)

        return float(np.median([timed() for _ in range(REPEATS)]))

    return [
        grown(lambda: history.polyline(*window, COLUMNS)),
        grown(lambda: history.smoothed(*window, COLUMNS, 0.25)),
        grown(lambda: history.means(*window, COLUMNS)),
        grown(lambda: history.extremes(*window)),
    ]


def report_peak(batches: int) -> None:
    tracemalloc.start()
    history, _ = filled(batches)
    total, most = tracemalloc.get_traced_memory()
    held, peak = total / len(history), most / len(history)
    print(f"\nby tracemalloc: {held:.2f} bytes a batch held, {peak:.2f} at the peak")
    tracemalloc.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=10_000_000)
    wanted = parser.parse_args().batches
    report_storage(wanted)
    report_reading(min(wanted, 1_000_000))
    report_drawing(wanted)
    report_peak(wanted // 10)
