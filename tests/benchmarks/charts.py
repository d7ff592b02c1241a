"""Cost of live charts, here and in terminalboard: three variants at 1,000 batches a second each.

    python tests/benchmarks/charts.py [--seconds 20] [--keys 20] [--batches 10000000] [--alone]
        [--rate 100000]

gdtui watches a run with its four charts at 10 fps; terminalboard 0.5.3 (with plotext 5.3.2, in a
virtual environment made for the occasion; --alone leaves it out) has one chart of the three. Shares
are of one core, of the program's own process. --rate: batches a second of each variant for
another run of gdtui, from a feed that only writes logs.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from feeds import RATE, EventFeed, Feed, N, RunFeed, flowing
from screen_share import bare_app, processor_seconds, shares

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from terminal import Terminal  # noqa: E402

ENV: Final = {**os.environ, "PYTHONPATH": str(ROOT)}
FPS: Final = 10
BURST_SECONDS: Final = 0.03
"""Output that comes closer together is of one frame."""
GUTTER: Final = 8
"""Columns in which the labels of y stand, in both programs."""
LEAST: Final = 30_000
"""Half the batches of the shortest plan: charts show a plan's whole length."""
AT_REST: Final = 0.4
"""Most processor seconds a second of a program that reads nothing, also on a slow machine."""
_AROUND: Final = 15.0
"""Seconds of a fast feed before and after those measured."""
MILLION: Final = 1_000_000
PEER: Final = ("terminalboard==0.5.3", "plotext==5.3.2")


@dataclass(frozen=True)
class Program:
    """One that shows the losses of a feed."""

    name: str
    feed: Callable[[Path, int], Feed]
    """Begins one of so many epochs, in this directory."""
    command: Callable[[Path], list[str]]
    log_key: str
    """Makes y logarithmic, or linear again."""


GDTUI: Final = Program(
    "gdtui",
    RunFeed,
    lambda path: [sys.executable, "-m", "gdtui", "watch", str(path), "--fps", str(FPS)],
    "y",
)


def terminalboard(folder: Path) -> Program | None:
    """The peer, installed; None when it cannot be had."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *PEER]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"terminalboard cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
        return None
    script = str(folder / "bin" / "terminalboard")
    return Program(
        "terminalboard",
        lambda path, _epochs: EventFeed(path),
        lambda path: [script, str(path), "--smooth", "0"],
        "l",
    )


class Shown:
    """A program on the screen, and what it costs."""

    def __init__(self, terminal: Terminal, feed: Feed) -> None:
        self.terminal, self.feed = terminal, feed

    @property
    def processor_seconds(self) -> float:
        return processor_seconds(self.terminal.pid)

    @property
    def mebibytes(self) -> float:
        """Resident."""
        for line in Path(f"/proc/{self.terminal.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise SystemExit(f"has ended:\n{self.terminal.text}")

    def settle(self) -> None:
        """Wait until all that was written is read and shown: next to nothing is done any more."""
        self.terminal.wait_for(lambda: "0." in self.terminal.text)
        calm = 0
        while calm < 4:
            before = self.processor_seconds
            time.sleep(1.0)
            calm = calm + 1 if self.processor_seconds - before < AT_REST else 0


@contextmanager
def shown(program: Program, batches: int, more: int = 0) -> Iterator[Shown]:
    """Wait until it shows a run that has so many batches a variant, of which `more` will come."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        feed = program.feed(path, max(2 * max(batches, LEAST), batches + more) // N)
        feed.write(batches)
        with Terminal(program.command(path), env=ENV) as terminal:
            what = Shown(terminal, feed)
            what.settle()
            yield what
            terminal.send("q")


def report_live(program: Program, batches: int, seconds: float, rate: int = RATE) -> float:
    """Prints share, bytes and frames while it grows; milliseconds of processor time a frame."""
    more = int(rate * (seconds + _AROUND)) if rate > RATE else 0
    with shown(program, batches, more) as what, flowing(what.feed, rate), bare_app() as bare:
        count, written = len(what.terminal.arrivals), what.terminal.bytes_written
        share, ratio = shares((what.terminal.pid, bare), seconds)
        kibibytes = (what.terminal.bytes_written - written) / seconds / 1024
        frames = bursts(what.terminal.arrivals[count:]) / seconds
    print(
        f"  {program.name:<14}{batches:>11,} batches: {share:6.1%} of a core, {ratio:.2f} × a bare "
        f"app, {kibibytes:6.1f} KiB/s, {frames:4.1f} frames a second, {frames / FPS:4.0%} of {FPS}"
    )
    return share / FPS * 1e3


def bursts(arrivals: Sequence[float]) -> int:
    gaps = itertools.pairwise(arrivals)
    return bool(arrivals) + sum(later - earlier > BURST_SECONDS for earlier, later in gaps)


def report_keys(program: Program, keys: int) -> None:
    with shown(program, MILLION) as what, flowing(what.feed):
        pressed = []
        for _ in range(keys):
            time.sleep(0.53)
            pressed.append(what.terminal.send(program.log_key) - what.terminal.started)
        time.sleep(3.0)
        delays = list(answers(what.terminal, pressed))
    seen = (
        f"{statistics.median(delays) * 1e3:.0f} ms (worst {max(delays) * 1e3:.0f})"
        if delays
        else "never"
    )
    print(f"  {program.name:<14}{seen}, {len(delays)} of {keys} keys")


def answers(terminal: Terminal, pressed: Sequence[float]) -> Iterator[float]:
    """Seconds from each key until the labels of y are others."""
    coming, labels = list(pressed), ""
    for when, screen in terminal.replay():
        now = "\n".join(row[:GUTTER] for row in screen.splitlines())
        if coming and when > coming[0] and now != labels:
            yield when - coming.pop(0)
        labels = now


def report_memory(program: Program) -> None:
    with shown(program, 100) as what:
        before = what.mebibytes
        what.feed.write(MILLION)
        what.settle()
        grown = what.mebibytes - before
    print(f"  {program.name:<14}{grown:.0f} MiB beside {before:.0f}")


def report(programs: Sequence[Program], seconds: float, keys: int, most: int, rate: int) -> None:
    print(f"load at the start {os.getloadavg()[0]:.1f}")
    print("live (goals: share ≤ 5 %, ≤ 90 KiB/s, frames ≥ 95 %)")
    for program in programs:
        report_live(program, 1_000, seconds)
    print(f"live, {rate:,} batches a second of each (goal: share ≤ 5 %)")
    report_live(GDTUI, 1_000, seconds, rate)
    print(
        "by length (goal: a frame at the most ≤ 1.5 × one at 1,000); where nothing changes nothing "
        "is sent"
    )
    costs = {batches: report_live(GDTUI, batches, seconds) for batches in (1_000, 100_000, most)}
    print("  ms a frame: " + ", ".join(f"{ms:.1f} at {batches:,}" for batches, ms in costs.items()))
    print(f"key to screen at {MILLION:,} batches a variant (goal: median ≤ 50 ms)")
    for program in programs:
        report_keys(program, keys)
    print(f"memory from 100 to {MILLION:,} batches a variant (goal: ≤ 50 MiB)")
    for program in programs:
        report_memory(program)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--batches", type=int, default=10 * MILLION)
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--alone", action="store_true", help="without terminalboard")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        peer = None if options.alone else terminalboard(Path(place))
        programs = [GDTUI, *([peer] if peer else [])]
        report(programs, options.seconds, options.keys, options.batches, options.rate)
