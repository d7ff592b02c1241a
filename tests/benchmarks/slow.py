"""Cost of a slow terminal: one drained at 20 KiB/s against one drained as fast as it goes, in turn.

    python tests/benchmarks/slow.py [--seconds 4] [--repeats 12] [--rate 20480] [--keys 10]

One app at 160×45 and 10 fps, three variants at free pace; only how fast its terminal takes output
changes.
"""

import argparse
import contextlib
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from screen_share import processor_seconds
from watching import Watched, watched

from engine.log.directory import RunDirectory
from gdtui.terminal.frame_gate import QUERY

SELECTED = "┏"
"""The heavy frame around a selected variant."""


@dataclass(frozen=True)
class Stretch:
    """Work done in some seconds in which the terminal was slow, or was not."""

    speed: dict[str, float]
    """Batches a second, by variant."""
    cost: dict[str, float]
    """Processor seconds a batch, of the variant's worker."""
    share: float
    """Share of a core that the process of the screen took."""
    frames: float
    """A second."""
    kibibytes: float
    """A second."""


def workers(app: Watched) -> dict[str, int]:
    """Process ids by variant, from the logs that processes have open."""
    found = {}
    for pid in app.terminal.processes:
        with contextlib.suppress(OSError):
            links = [file.readlink() for file in Path(f"/proc/{pid}/fd").iterdir()]
            found |= {link: pid for link in links if link.suffix == ".gdlog"}
    run = RunDirectory.open(next(iter(found)).parent)
    return {one.name: found[run.variant_log(one.name)] for one in run.info.settings.variants}


def measure(app: Watched, pids: dict[str, int], seconds: float) -> Stretch:
    app.batches()
    used = {name: processor_seconds(pid) for name, pid in pids.items()}
    screen, written, start = app.processor_seconds(), len(app.terminal.raw), time.perf_counter()
    time.sleep(seconds)
    batches, spent = app.batches(), time.perf_counter() - start
    output = app.terminal.raw[written:]
    return Stretch(
        speed={name: batches[name] / spent for name in pids},
        cost={
            name: (processor_seconds(pid) - used[name]) / batches[name]
            for name, pid in pids.items()
        },
        share=(app.processor_seconds() - screen) / spent,
        frames=output.count(QUERY.encode()) / spent,
        kibibytes=len(output) / spent / 1024,
    )


def in_turn(app: Watched, rate: int, seconds: float, repeats: int) -> list[tuple[Stretch, Stretch]]:
    """(slow, fast), so many times; who comes first takes turns, too."""
    pids, pairs = workers(app), []
    for count in range(repeats):
        found = {}
        for is_slow in (count % 2 == 0, count % 2 == 1):
            app.terminal.rate = rate if is_slow else None
            time.sleep(1.0)
            found[is_slow] = measure(app, pids, seconds)
        pairs.append((found[True], found[False]))
    return pairs


def press(app: Watched, keys: int) -> list[float]:
    """Seconds from each key that selects a variant, or all again, until that is seen."""
    pressed = []
    for count in range(keys):
        time.sleep(0.9 + 0.17 * (count % 5))  # not in step with the frames
        pressed.append((app.terminal.send("20"[count % 2]) - app.terminal.started, count % 2 == 0))
    time.sleep(3.0)
    coming, delays = list(pressed), []
    for when, screen in app.terminal.replay():
        if coming and when > coming[0][0] and (SELECTED in screen) is coming[0][1]:
            delays.append(when - coming.pop(0)[0])
    return delays


def report(seconds: float, repeats: int, rate: int, keys: int) -> None:
    load = os.getloadavg()[0]
    with watched("--pace", "free", "--measuring", "off") as app:
        app.wait_for(3)
        pairs = in_turn(app, rate, seconds, repeats)
        app.terminal.rate = rate
        delays = press(app, keys)
        app.terminal.rate = None
    print(f"load at the start {load:.1f}; medians of {repeats} pairs of {seconds:g} s")
    slow, fast = zip(*pairs, strict=True)
    print(f"  {rate / 1024:g} KiB/s: {screen(slow)}; full speed: {screen(fast)}")
    print("slow ÷ full speed (single pairs): training is not slowed")
    for name in pairs[0][0].speed:
        speed = ratios(slow.speed[name] / fast.speed[name] for slow, fast in pairs)
        cost = ratios(slow.cost[name] / fast.cost[name] for slow, fast in pairs)
        print(
            f"  {name:>10}: batches/s {speed} (goal ≥ 1), processor time a batch {cost} (goal ≤ 1)"
        )
    seen = f"{statistics.median(delays):.2f} s (worst {max(delays):.2f})" if delays else "never"
    print(f"key to screen on the slow one: {seen}, {len(delays)} of {keys} keys (goal ≤ 2 s)")


def screen(stretches: Sequence[Stretch]) -> str:
    frames, kibibytes, share = (
        statistics.median(getattr(one, name) for one in stretches)
        for name in ("frames", "kibibytes", "share")
    )
    return f"{frames:.1f} frames/s, {kibibytes:.1f} KiB/s, {share:.1%} of a core"


def ratios(pairs: Iterable[float]) -> str:
    values = list(pairs)
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--rate", type=int, default=20 * 1024)
    parser.add_argument("--keys", type=int, default=10)
    options = parser.parse_args()
    report(options.seconds, options.repeats, options.rate, options.keys)
