"""Delay of `gdtui attach` on a long run: to its first frame, to all its curves.

    python tests/benchmarks/attaching.py [--batches 1000000] [--repeats 7]

The run has three variants with so many batches each; its host trains no further. In turn with a
bare Textual app, as in startup.py. The curves are first drawn from a sample of the losses; the
figures follow when all have been read. CPU seconds are those of the program after its first frame.
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
from typing import Final, NamedTuple

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
EPOCHS: Final = 31_250
"""Those of a million batches of 64, whose curve then fills the chart."""
DOTS: Final = {chr(code) for code in range(0x2801, 0x2900)}
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
        epochs=EPOCHS,
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
    run = RunDirectory.create(folder / "run", RunSettings(variants=variants, epochs=EPOCHS), "0")
    for variant in variants:
        with LogWriter(run.variant_log(variant.name)) as log:
            for record in records(variant.settings, SIZES[variant.name], batches):
                log.append(record)
    with Session(run) as session, hosted(session, Path("/tmp")):
        yield run.path


class Measured(NamedTuple):
    """Seconds from the start, and from the first frame on seconds of CPU, until there is…"""

    frame: float
    whole: float
    """…the whole screen"""
    curves: float
    """…each curve, up to its end"""
    read: float
    """…the number of all batches of each variant."""
    curves_cpu: float
    read_cpu: float


def attach(run: Path, batches: int) -> Measured:
    """One measurement, of a program that is left as soon as all has been read."""
    with Terminal([sys.executable, "-m", "gdtui", "attach", str(run)], env=ENV) as terminal:
        wanted = f"{batches / 1e6:.2f}M updates"
        clock = list(_cpu_clock(terminal, 3.0))  # the screen is worked out later: that takes a core
        while terminal.text.count(wanted) < len(SIZES):
            clock += _cpu_clock(terminal, 1.0)
        end = _reach(terminal.text)
        terminal.send("d")
        terminal.wait()
        frame = terminal.time_of(lambda screen: "gdtui ·" in screen)
        curves = terminal.time_of(lambda screen: _reaches(screen, end))
        read = terminal.time_of(lambda screen: screen.count(wanted) == len(SIZES))
        times, spent = zip(*clock, strict=True)
        at_frame, at_curves, at_end = np.interp((frame, curves, read), times, spent).tolist()
        whole = terminal.time_of(lambda screen: "3 SGD" in screen and "q quit" in screen)
        return Measured(frame, whole, curves, read, at_curves - at_frame, at_end - at_frame)


def _cpu_clock(terminal: Terminal, seconds: float) -> Iterator[tuple[float, float]]:
    """Seconds since the start, and those of CPU that the program has taken by then."""
    until = time.perf_counter() + seconds
    while (now := time.perf_counter()) < until:
        fields = Path(f"/proc/{terminal.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        yield now - terminal.started, ticks / os.sysconf("SC_CLK_TCK")
        time.sleep(0.005)


def _reach(screen: str) -> tuple[int, ...]:
    """The last column with a dot on the chart of all, and those of the names at the lines' ends."""
    rows = screen.partition("samples ─╯")[0].split("\n")[2:-1]
    dots = max((at for row in rows for at, cell in enumerate(row) if cell in DOTS), default=-1)
    numbered = (f"{number} {name}" for number, name in enumerate(SIZES, start=1))
    return dots, *(max(row.find(name) for row in rows) for name in numbered)


def _reaches(screen: str, end: tuple[int, ...]) -> bool:
    """True if each line reaches as far as it does in the end, but for the value at its end."""
    found = _reach(screen)
    return min(found) >= 0 and all(abs(a - b) <= 6 for a, b in zip(found, end, strict=True))


def report(batches: int, repeats: int) -> None:
    bares, ours = [], []
    with tempfile.TemporaryDirectory() as folder, long_run(Path(folder), batches) as run:
        attach(run, batches)  # so that there is bytecode
        for _ in range(repeats):
            bares.append(bare())
            ours.append(attach(run, batches))
    middle = Measured(*map(statistics.median, zip(*ours, strict=True)))
    print(f"{batches:,} batches a variant; medians of {repeats}, load {os.getloadavg()[0]:.1f}")
    ratio = statistics.median(one.frame / other for one, other in zip(ours, bares, strict=True))
    print(f"first frame {middle.frame:.2f} s ÷ bare {statistics.median(bares):.2f} s")
    print(f"  = {ratio:.2f}, median of the pairs (goal ≤ 1.5)")
    print(f"whole screen {middle.whole:.2f} s")
    for done, ends, spent, goal in (
        ("all curves", [one.curves for one in ours], middle.curves_cpu, " (goal ≤ 0.5)"),
        ("all losses read", [one.read for one in ours], middle.read_cpu, ""),
    ):
        later = statistics.median(end - one.frame for end, one in zip(ends, ours, strict=True))
        print(f"{done} {later:.2f} s after the first frame{goal}, {spent:.2f} s of CPU")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    report(options.batches, options.repeats)
