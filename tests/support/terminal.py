"""A program in a real terminal (a pty), as a person has it: keys in, a screen out, times of both.

Knows nothing of what runs in it. Leaves no process behind.
"""

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from quick_pyte import QuickScreen, QuickStream

PATIENCE: Final = 120.0
"""Seconds after which waiting is given up: far beyond what a busy machine needs."""

# As under a shell, another process leads the session: where the program itself does, the kernel
# resets the terminal as it ends, and nobody could tell whether the program had. The pipe that is
# the leader's stdout tells the program's process id, then its exit status as a shell has it. When
# the window is closed the leader ends, and thereby the program is told.
_LEADER: Final = """trap : INT TERM
sh -c 'echo $$; exec "$@" >&2' sh "$@"
echo $?
read _"""

_QUERY: Final = b"\x1b[6n"
_MARK: Final = "TEST_TERMINAL"
"""A variable that every process of a terminal inherits, whatever its session and parent."""

Cell = tuple[str, str, str, bool, bool]
"""A character, its colour and that behind it, bold, reversed."""

Wanted = str | Callable[[], object]
"""A text to be on the screen, or what must become true."""


def _lead_session() -> None:
    """In the child process, own the terminal, and take signals as if no nohup had started it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """Start `command` in a terminal of its own. Use it in a `with`, or call `close`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        columns: int = 160,
        rows: int = 45,
        rate: int | None = None,
        colours: str = "truecolor",
    ) -> None:
        """`colours`: "truecolor", "256" or "16", as the environment tells.

        `rate`: bytes a second at which the terminal takes output; None: as fast as it can.
        """
        self.rate = rate
        self._stalled = threading.Event()
        self._output: list[tuple[float, bytes | tuple[int, int]]] = []
        """(perf_counter, bytes written or a new size)."""
        self._unasked = b""
        """The end of the output, where a question may have begun."""
        self._asks = self._is_asked = False
        """The program has asked where the cursor is, as gdtui does behind each frame; just now."""
        self._news = threading.Condition()
        self._master, slave = os.openpty()
        self.resize(columns, rows)
        self._painter = _Painter()
        self.modes_before = self.modes
        self._mark = os.urandom(8).hex()
        self.started = time.perf_counter()
        self._leader = subprocess.Popen(
            ["sh", "-c", _LEADER, "sh", *command],
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            env={**_environment(env, colours), _MARK: self._mark},
            start_new_session=True,
            preexec_fn=_lead_session,
        )
        os.close(slave)
        assert self._leader.stdout is not None
        self._status = self._leader.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.pid = int(self._status.readline())
        """Process id of the program."""
        self._exit_code: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- What the person does -------------------------------------------------------------------

    def send(self, keys: str) -> float:
        """Type; the time at which that was done."""
        os.write(self._master, keys.encode())
        return time.perf_counter()

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size; the program gets SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._note((columns, rows))

    def stall(self) -> None:
        """Take no more output, until `rate` is set."""
        self._stalled.clear()
        self.rate = 0
        assert self._stalled.wait(PATIENCE)

    def hang_up(self) -> None:
        """Close the window. The exit status will not be known."""
        os.close(self._master)
        self._master = -1
        self._reader.join()

    # --- What the person sees -------------------------------------------------------------------

    @property
    def screen(self) -> list[str]:
        """The rows on the screen."""
        return self._painter.rows(self._output)

    @property
    def cells(self) -> list[list[Cell]]:
        """Every cell of the screen."""
        return self._painter.cells(self._output)

    @property
    def text(self) -> str:
        return "\n".join(self.screen)

    def says(self, words: str) -> bool:
        """True: these words are on the screen, wherever its lines break."""
        return "".join(words.split()) in "".join(self.text.split())

    @property
    def raw(self) -> bytes:
        """All that was written to the terminal."""
        return b"".join(data for _, data in list(self._output) if isinstance(data, bytes))

    @property
    def bytes_written(self) -> int:
        return sum(len(data) for _, data in list(self._output) if isinstance(data, bytes))

    @property
    def arrivals(self) -> list[float]:
        """Arrival time of each piece of output, by perf_counter."""
        return [when for when, data in list(self._output) if isinstance(data, bytes)]

    @property
    def modes(self) -> list[Any]:
        """Settings by `stty -a`: echo, line mode and the like."""
        return termios.tcgetattr(self._master)

    def wait_for(self, wanted: Wanted, patience: float = PATIENCE) -> None:
        """Wait until that text is on the screen, or that is true; AssertionError if never."""
        deadline = time.monotonic() + patience
        while not (wanted in self.text if isinstance(wanted, str) else wanted()):
            if time.monotonic() > deadline:
                raise AssertionError(f"never came: {wanted!r}; on the screen:\n{self.text}")
            with self._news:
                self._news.wait(0.05)
        self._let_the_frame_end()

    def _let_the_frame_end(self) -> None:
        """Wait for the rest of a frame, which a pty passes in pieces of 4 KB.

        It is whole once the program asks where the cursor is. One that never does, or has stopped
        or ended in mid-frame, is left alone once nothing more comes.
        """
        quiet = 0
        for _ in range(100 if self._asks else 10):
            count = len(self._output)
            with self._news:
                self._news.wait(0.03)
            quiet = quiet + 1 if len(self._output) == count else 0
            if self._is_asked or quiet >= (10 if self._asks and not self.has_ended else 1):
                return

    def replay(self) -> Iterator[tuple[float, str]]:
        """(seconds since the start, what was on the screen then) after each piece of output."""
        painter = _Painter()
        for count, (when, _) in enumerate(list(self._output), start=1):
            yield when - self.started, "\n".join(painter.rows(self._output[:count]))

    def time_of(self, condition: Callable[[str], object]) -> float:
        """Seconds from the start until the screen first was like that; NaN for never."""
        return next((when for when, screen in self.replay() if condition(screen)), float("nan"))

    # --- The program's end ----------------------------------------------------------------------

    def wait(self, patience: float = PATIENCE) -> int:
        """The exit status, as a shell has it, once the program has ended."""
        if self._exit_code is None:
            if not readable(self._status.fileno(), patience):
                raise AssertionError(f"goes on and on; on the screen:\n{self.text}")
            self._exit_code = int(self._status.readline())
        return self._exit_code

    @property
    def has_ended(self) -> bool:
        """True when `wait` would answer at once."""
        return self._exit_code is not None or readable(self._status.fileno(), 0)

    @property
    def processes(self) -> list[int]:
        """Every process that came out of the program and still runs, whoever its parent is now."""
        return [pid for pid in _marked(self._mark) if pid != self._leader.pid]

    def close(self) -> None:
        """End all that is left."""
        while left := self.processes:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        self._leader.kill()
        self._leader.wait()
        self._status.close()
        self.rate = None  # what is left can be taken
        self._reader.join()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    # --- Reading --------------------------------------------------------------------------------

    def _read(self) -> None:
        """The reading thread."""
        while (master := self._master) >= 0:
            if (rate := self.rate) == 0:
                self._stalled.set()
                time.sleep(0.02)
                continue
            try:
                if not readable(master, 0.2):
                    continue
                data = os.read(master, min(rate // 50, 1 << 16) if rate else 1 << 16)
            except (OSError, ValueError):  # nobody is on the other side any more, or we hung up
                return
            if rate:
                time.sleep(len(data) / rate)
            self._note(data)
            self._answer(data)

    def _answer(self, data: bytes) -> None:
        """Say where the cursor is as often as it was asked; a question may come in two pieces."""
        asked = self._unasked + data
        self._unasked = asked[-len(_QUERY) + 1 :]
        self._is_asked = asked.endswith(_QUERY)
        self._asks = self._asks or _QUERY in asked
        for _ in range(asked.count(_QUERY)):
            with contextlib.suppress(OSError):
                os.write(self._master, b"\x1b[1;1R")

    def _note(self, what: bytes | tuple[int, int]) -> None:
        with self._news:
            self._output.append((time.perf_counter(), what))
            self._news.notify_all()


class _Painter:
    """Turns output into rows of text, going on where it stopped."""

    def __init__(self) -> None:
        self._screen = QuickScreen(80, 24)
        self._stream = QuickStream(self._screen)
        self._done = 0

    def cells(self, output: Sequence[tuple[float, bytes | tuple[int, int]]]) -> list[list[Cell]]:
        self.rows(output)
        lines, columns = range(self._screen.lines), range(self._screen.columns)
        found = [[self._screen.buffer[y][x] for x in columns] for y in lines]
        return [[(c.data, c.fg, c.bg, c.bold, c.reverse) for c in row] for row in found]

    def rows(self, output: Sequence[tuple[float, bytes | tuple[int, int]]]) -> list[str]:
        new = output[self._done :]
        self._done += len(new)
        for _, what in new:
            if isinstance(what, bytes):
                self._stream.feed(what)
            else:
                self._screen.resize(columns=what[0], lines=what[1])
        return [row.rstrip() for row in self._screen.display]


def readable(file: int, patience: float) -> bool:
    """True once there is something to read; select() would refuse descriptors above 1,023."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(patience * 1000))


def session_of(leader: int) -> list[int]:
    """The processes of a session that run; a zombie does not."""
    return [pid for pid, state, _, session in _processes() if session == leader and state != "Z"]


def _marked(mark: str) -> Iterator[int]:
    """The processes that run with this mark in their environment; a zombie has none."""
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{_MARK}={mark}".encode() in (directory / "environ").read_bytes():
                yield int(directory.name)


def children_of(parent: int) -> list[int]:
    return [pid for pid, state, ppid, _ in _processes() if ppid == parent and state != "Z"]


def _processes() -> Iterator[tuple[int, str, int, int]]:
    """(pid, state, parent, session) of all, as in proc(5)."""
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (directory / "stat").read_text(errors="replace").rpartition(")")[2].split()
            yield int(directory.name), fields[0], int(fields[1]), int(fields[3])


_KINDS: Final = {
    "truecolor": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "256": {"TERM": "xterm-256color"},
    "16": {"TERM": "xterm"},
}


def _environment(env: Mapping[str, str], colours: str) -> dict[str, str]:
    """A terminal with so many colours, and nothing of the tests' own environment."""
    ours = {
        key: value
        for key, value in env.items()
        if not key.startswith("TEXTUAL") and key not in {"LINES", "COLUMNS", "TERM", "COLORTERM"}
    }
    return {**ours, **_KINDS[colours]}
