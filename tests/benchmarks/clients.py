"""Clients of one host: keys from one screen to another, and what a bad client costs the others.

    python tests/benchmarks/clients.py [--keys 20] [--seconds 2] [--pairs 10]

Three variants train at free pace in a host, with two screens attached. Keys in the first change the
lr of the mini-batch variant up and down. In turn with calm stretches, the second screen is stopped
or drained at 20 KiB/s, or a third client floods the host's socket.
"""

import argparse
import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from hosts import RawClient, end_run  # noqa: E402
from terminal import Terminal  # noqa: E402

from engine.log.commands import Pause  # noqa: E402
from engine.log.directory import RunDirectory  # noqa: E402
from engine.log.follow import Follower  # noqa: E402
from engine.log.records import Changed, Chunk  # noqa: E402
from engine.session.host.note import HostNote, read_notes  # noqa: E402
from engine.session.host.protocol import PROTOCOL, Hello, Order, frame  # noqa: E402

GDTUI: Final = [sys.executable, "-m", "gdtui"]
RATE: Final = 20 * 1024
UP_AND_DOWN: Final = ((".", "0.02"), (",", "0.01"))


class Bench:
    """A host with two screens attached."""

    def __init__(self, run: Path, first: Terminal, second: Terminal) -> None:
        self.run, self.first, self.second = run, first, second
        self.note: HostNote = read_notes(run)[0]
        self._follower = Follower(RunDirectory.open(run))
        self._presses = 0

    def read(self) -> tuple[dict[str, int], bool]:
        """Batches by variant since the last call, and True if a change took effect."""
        batches: dict[str, int] = {}
        has_changed = False
        for name, record in self._follower.read(10**9):
            if isinstance(record, Chunk):
                batches[name] = batches.get(name, 0) + record.batches
            has_changed |= isinstance(record, Changed)
        return batches, has_changed

    def press(self, keys: int, *screens: Terminal) -> list[list[float]]:
        """Seconds from each key until it is in force, then until each of the screens shows it."""
        delays: list[list[float]] = [[] for _ in range(1 + len(screens))]
        for count in range(keys):
            time.sleep(0.4 + 0.03 * (count % 5))  # not in step with the frames
            key, lr = UP_AND_DOWN[self._presses % 2]
            self._presses += 1
            self.read()
            sent, waiting = self.first.send(key), {*range(len(delays))}
            while waiting:
                time.sleep(0.002)
                for number in [*waiting]:
                    if is_in_force(screens[number - 1].text, lr) if number else self.read()[1]:
                        delays[number].append(time.perf_counter() - sent)
                        waiting.remove(number)
        return delays

    def speed(self, seconds: float) -> dict[str, float]:
        """Batches a second of each variant, for so long."""
        self.read()
        start = time.perf_counter()
        time.sleep(seconds)
        batches, _ = self.read()
        return {name: count / (time.perf_counter() - start) for name, count in batches.items()}

    @property
    def memory(self) -> float:
        """MiB of memory in use by the host."""
        status = Path(f"/proc/{self.note.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    # --- Bad clients ----------------------------------------------------------------------------

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """The second screen is stopped."""
        os.kill(self.second.pid, signal.SIGSTOP)
        yield
        os.kill(self.second.pid, signal.SIGCONT)

    @contextlib.contextmanager
    def slow(self) -> Iterator[None]:
        """The second screen's terminal takes 20 KiB/s."""
        self.second.rate = RATE
        yield
        self.second.rate = None

    @contextlib.contextmanager
    def flooded(self) -> Iterator[None]:
        """A client orders pauses of an unknown variant as fast as the host takes them."""
        over = threading.Event()
        thread = threading.Thread(target=self._flood, args=(over,))
        thread.start()
        yield
        over.set()
        thread.join()

    def _flood(self, over: threading.Event) -> None:
        order = Order(number=1, commands={"none": Pause(id=0)})
        with contextlib.closing(RawClient(self.note.socket)) as client:
            client.send(Hello(protocol=PROTOCOL, version="0"))
            client.link.settimeout(0.05)
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    client.link.send(frame(order) * 20)
                with contextlib.suppress(BlockingIOError, TimeoutError):
                    client.link.recv(1 << 20, 0x40)  # MSG_DONTWAIT


def is_in_force(text: str, lr: str) -> bool:
    """True if the panel of the mini-batch variant has this lr, and none is pending."""
    return re.search(rf"batch 64 [^│]*· lr {re.escape(lr)} ", text) is not None


@contextlib.contextmanager
def attached() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": folder}
        options = ["--epochs", "1000000", "--pace", "free", "--measuring", "off"]
        started = subprocess.run(
            [*GDTUI, "train", "--detach", *options], env=env, stdout=subprocess.PIPE, check=True
        )
        run = Path(os.fsdecode(started.stdout).strip())
        attach = [*GDTUI, "attach", str(run)]
        try:
            with Terminal(attach, env=env) as first, Terminal(attach, env=env) as second:
                for screen in (first, second):
                    screen.wait_for(lambda screen=screen: is_in_force(screen.text, "0.01"))
                first.send("2")
                time.sleep(1.0)
                yield Bench(run, first, second)
        finally:
            end_run(run)


def report(keys: int, seconds: float, pairs: int) -> None:
    print(f"load at the start {os.getloadavg()[0]:.1f}")
    with attached() as bench:
        in_force, own, other = bench.press(keys, bench.first, bench.second)
        print(f"ms from {keys} keys, medians (worst); goal ≤ 200")
        print(f"  in force {figures(in_force)}")
        print(f"  on the own screen {figures(own)}, on the other screen {figures(other)}")
        print(f"with a bad client ÷ calm, medians of {pairs} pairs of {seconds:g} s (range)")
        for bad in (bench.stopped, bench.slow, bench.flooded):
            compare(bench, bad, seconds, pairs, keys)


def compare(
    bench: Bench,
    bad: Callable[[], AbstractContextManager[None]],
    seconds: float,
    pairs: int,
    keys: int,
) -> None:
    """Print the cost of a bad client: speed, keys of the first screen, memory of the host."""
    ratios: dict[str, list[float]] = {}
    memory = bench.memory
    for count in range(pairs):
        speeds = {}
        for is_bad in (count % 2 == 0, count % 2 == 1):
            with bad() if is_bad else contextlib.nullcontext():
                time.sleep(0.3)
                speeds[is_bad] = bench.speed(seconds)
        for name, speed in speeds[True].items():
            ratios.setdefault(name, []).append(speed / speeds[False][name])
    _, calm = bench.press(keys, bench.first)
    with bad():
        _, troubled = bench.press(keys, bench.first)
    print(f"  {bad.__name__}:")
    for name, found in ratios.items():
        print(
            f"    {name:>10} batches/s {statistics.median(found):.3f} "
            f"({min(found):.2f}–{max(found):.2f}; goal ≥ 0.97)"
        )
    print(f"    key to the first screen {figures(troubled)} ms, calm {figures(calm)} ms")
    print(f"    memory of the host {memory:.1f} → {bench.memory:.1f} MiB")


def figures(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e3:.0f} ({max(seconds) * 1e3:.0f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--pairs", type=int, default=10)
    options = parser.parse_args()
    report(options.keys, options.seconds, options.pairs)
