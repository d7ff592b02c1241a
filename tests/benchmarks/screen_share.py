"""The share of a core that a screen takes, and that of a bare Textual app at the same time.

Both wake ten times a second. How much a process takes that wakes up now and then depends on the
machine and the hour (up to threefold where others share its caches): compare the ratio.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from terminal import Terminal  # noqa: E402

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_START_SECONDS: Final = 2.0
_BARE: Final = """
from textual.app import App
from textual.widgets import Static


class Bare(App):
    frames = 0

    def compose(self):
        for number in range(4):
            yield Static("", id=f"line-{number}")

    def on_mount(self):
        self.set_interval(0.1, self.show_frame)

    def show_frame(self):
        self.frames += 1
        self.query_one(f"#line-{self.frames % 4}", Static).update(str(self.frames) * 20)


Bare().run()
"""


@contextmanager
def bare_app() -> Iterator[int]:
    """The process of an app that updates one of four lines in each of ten frames a second."""
    with Terminal([sys.executable, "-c", _BARE], env=os.environ) as terminal:
        time.sleep(_START_SECONDS)
        yield terminal.pid
        terminal.send("\x11")  # Ctrl+Q
        terminal.wait()


def processor_seconds(pid: int) -> float:
    """Processor seconds of this process so far, in user and system mode (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def shares(pids: tuple[int, int], seconds: float) -> tuple[float, float]:
    """The share of a core of the first process, and its ratio to that of the second."""
    used, start = [processor_seconds(pid) for pid in pids], time.perf_counter()
    time.sleep(seconds)
    spent = time.perf_counter() - start
    first, second = (
        (processor_seconds(pid) - before) / spent for pid, before in zip(pids, used, strict=True)
    )
    return first, first / second
