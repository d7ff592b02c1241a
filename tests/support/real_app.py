"""The app in a real terminal, with its run directory at hand and its processes by name."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from terminal import Terminal, children_of

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import AnyRecord
from engine.log.summary import Tally
from engine.session.host.note import read_notes

CONSOLE_SCRIPT = [str(Path(sys.executable).parent / "gdtui")]
if not Path(CONSOLE_SCRIPT[0]).exists():
    CONSOLE_SCRIPT = [sys.executable, "-m", "gdtui"]


class App:
    """`gdtui` in a terminal."""

    def __init__(self, terminal: Terminal, run: Path) -> None:
        self.terminal = terminal
        self.path = run

    @property
    def run(self) -> RunDirectory:
        return RunDirectory.open(self.path)

    def records(self, kind: type[AnyRecord]) -> list[tuple[str, AnyRecord]]:
        """The records of that kind in the logs so far, each with its variant's name."""
        return [found for found in Follower(self.run).read() if isinstance(found[1], kind)]

    def tallies(self) -> dict[str, Tally]:
        """The figures of each variant so far."""
        run = self.run
        tallies = {one.name: Tally(one.name, one.settings) for one in run.info.settings.variants}
        for name, record in Follower(run).read(10**9):
            tallies[name].add(record)
        return tallies

    def wait_for_losses(self) -> None:
        """Wait until every variant's own figures are on the screen."""
        count = len(self.run.info.settings.variants)
        self.terminal.wait_for(lambda: len(re.findall(r"loss \d", self.terminal.text)) >= count)

    def wait_for_progress(self, *names: str) -> None:
        """Wait until each of these has trained more than now."""
        before = self.tallies()
        self.terminal.wait_for(
            lambda: all(self.tallies()[n].batches > before[n].batches for n in names)
        )

    def wait_for_nobody(self) -> None:
        """Wait until no process of the program runs, whoever its parent was."""
        self.terminal.wait_for(lambda: not self.terminal.processes)

    def check_restored(self) -> None:
        """The terminal is as it was: the shell's screen, a cursor, no mouse, line mode and echo."""
        raw = self.terminal.raw
        assert raw.count(b"\x1b[?1049h") == raw.count(b"\x1b[?1049l") == 1
        for on, off in ((b"\x1b[?25h", b"\x1b[?25l"), (b"\x1b[?1003l", b"\x1b[?1003h")):
            assert raw.rfind(on) > raw.rfind(off)
        assert self.terminal.modes == self.terminal.modes_before

    @property
    def host(self) -> int:
        """The process that owns the workers, and outlives the screen."""
        return read_notes(self.path)[0].pid

    @property
    def server(self) -> int:
        """The process that the workers are forked from."""
        (server,) = [pid for pid in children_of(self.host) if "forkserver" in _command(pid)]
        return server

    def worker(self, name: str) -> int:
        """The one that has the variant's log open; waits until it has."""
        log, found = self.run.variant_log(name), list[int]()

        def is_found() -> bool:
            found[:] = [pid for pid in children_of(self.server) if log in _open_files(pid)]
            return len(found) == 1

        self.terminal.wait_for(is_found)
        return found[0]

    @property
    def said(self) -> str:
        """All that was written to the terminal before the app took the screen and after it left."""
        raw = self.terminal.raw.decode(errors="replace")
        return raw.partition("\x1b[?1049h")[0] + raw.rpartition("\x1b[?1049l")[2]


StartApp = Callable[..., App]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def _open_files(pid: int) -> list[Path]:
    try:
        return [file.readlink() for file in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []
