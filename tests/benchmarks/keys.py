"""Delay of a key while all three variants train: to the log, to the first batch, to the screen.

    python tests/benchmarks/keys.py [--keys 15] [--compile off]

The lr of the mini-batch variant goes up and down. The log is read every millisecond. With
`--compile on`, the first key is pressed once all variants train with their compiled steps, at free
pace.
"""

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.file import LogReader
from engine.log.records import Changed, Chunk, Execution
from engine.log.records.base import Record

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from terminal import Terminal  # noqa: E402

ENV: Final = {**os.environ, "PYTHONPATH": str(ROOT)}
NAME: Final = "Mini-batch"
PATIENCE: Final = 30.0
BUILDING: Final = 600.0
"""Seconds to wait for the compiled steps."""
UP_AND_DOWN: Final = ((".", "0.02"), (",", "0.01"))


@dataclass(frozen=True)
class Pressed:
    """One key; times in seconds since the terminal's start."""

    lr: str
    at: float
    confirmed: float
    """The log has the record that confirms it."""
    trained: float
    """The log has the first batch under the new setting."""


class Log:
    """The mini-batch variant's log as it grows."""

    def __init__(self, run: Path) -> None:
        while True:
            try:
                directory = RunDirectory.open(run)
                break
            except RunDirectoryError:  # not yet
                time.sleep(0.02)
        self.readers = [
            LogReader(directory.variant_log(one.name)) for one in directory.info.settings.variants
        ]
        self._reader = LogReader(directory.variant_log(NAME))

    def wait_for_all(self, is_wanted: Callable[[Record], bool], patience: float) -> None:
        """Wait until each variant's log has such a record."""
        waiting = list(self.readers)
        deadline = time.monotonic() + patience
        while waiting and time.monotonic() < deadline:
            waiting = [one for one in waiting if not any(is_wanted(record) for record in one)]
            time.sleep(0.02)
        if waiting:
            raise SystemExit(f"{len(waiting)} variants were not so far after {patience:.0f} s")
        list(self._reader)

    def watch(self, terminal: Terminal, key: str, lr: str, *, until_trained: bool) -> Pressed:
        """Press the key and read on."""
        sent = terminal.send(key)
        confirmed = float("nan")
        while time.perf_counter() < sent + PATIENCE:
            for record in self._reader:
                now = time.perf_counter() - terminal.started
                if isinstance(record, Changed):
                    confirmed = now
                    if not until_trained:
                        return Pressed(lr, sent - terminal.started, confirmed, float("nan"))
                elif isinstance(record, Chunk) and confirmed == confirmed:
                    return Pressed(lr, sent - terminal.started, confirmed, now)
            time.sleep(0.001)
        raise SystemExit(f"{key!r} was never confirmed:\n{terminal.text}")


def press(pace: str, keys: int, compilation: str) -> tuple[list[Pressed], list[float]]:
    """The keys, and for each the milliseconds until the screen showed it, pending or in force."""
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
            "--pace",
            pace,
            "--compile",
            compilation,
        ]
        with Terminal(command, env=ENV) as terminal:
            terminal.wait_for(lambda: (run / "run.json").exists())
            log = Log(run)
            log.wait_for_all(lambda record: isinstance(record, Chunk), PATIENCE)
            if compilation != "off":
                log.wait_for_all(is_compiled, BUILDING)
            time.sleep(1.0)
            terminal.send("2")
            pressed = []
            for count in range(keys):
                time.sleep(0.3 + random.random() * 0.2)  # not in step with the frames
                key, lr = UP_AND_DOWN[count % 2]
                pressed.append(log.watch(terminal, key, lr, until_trained=pace == "free"))
            time.sleep(0.5)
            terminal.send("q")
            time.sleep(1.0)
            if not terminal.has_ended:
                terminal.send("s")  # a run that has trained for long asks
            terminal.wait()
            return pressed, seen(terminal, pressed)


def is_compiled(record: Record) -> bool:
    """True for the record of a compiled step that has come in."""
    return isinstance(record, Execution) and record.compiled > 0


def seen(terminal: Terminal, pressed: list[Pressed]) -> list[float]:
    """Seconds from each key until a screen had "→0.02…" or "lr 0.02" on it."""
    delays = []
    coming = iter(pressed)
    one = next(coming, None)
    for when, screen in terminal.replay():
        if (
            one is not None
            and when > one.at
            and (f"→{one.lr}…" in screen or is_in_force(screen, one.lr))
        ):
            delays.append(when - one.at)
            one = next(coming, None)
    return delays


def is_in_force(screen: str, lr: str) -> bool:
    """True when the second panel says so, and nothing is pending in it."""
    shown = re.compile(rf"batch 64( \[ \])? · lr {re.escape(lr)} ")
    return any(shown.search(row) for row in screen.splitlines())


def report(keys: int, compilation: str) -> None:
    print(
        f"ms, medians of {keys} keys (worst), load at the start {os.getloadavg()[0]:.1f}; goals ≤ "
        "100"
    )
    for pace in ("1", "free", "0.02") if compilation == "off" else ("free",):
        pressed, shown = press(pace, keys, compilation)
        told = [one.confirmed - one.at for one in pressed]
        text = f"  pace {pace:>4}: confirmed in the log {figures(told)}"
        text += f", on the screen {figures(shown)}"
        if pace == "free":
            text += f", first batch in the log {figures([one.trained - one.at for one in pressed])}"
        print(text)


def figures(seconds: list[float]) -> str:
    if not seconds:
        return "never"
    return f"{statistics.median(seconds) * 1e3:.0f} ({max(seconds) * 1e3:.0f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=15)
    parser.add_argument("--compile", default="off", choices=("off", "auto", "on"))
    options = parser.parse_args()
    report(options.keys, options.compile)
