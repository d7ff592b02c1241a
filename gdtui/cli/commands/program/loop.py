"""The loop of a program's host: passes its output on, records it, and answers clients."""

import contextlib
import math
import os
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from engine.log.commands import Answer, AnyCommand, TypeText
from engine.log.directory import RunDirectory
from engine.log.notices import Notice, NoticeKind
from engine.log.records import CommandSent
from engine.programs.ending import ProgramEnding, adopt_orphans, reap_orphans
from engine.programs.process import PORTION, ChildProgram
from engine.programs.questions import AnswerError
from engine.programs.recording import ProgramRecording
from engine.session.hosted import OrderError
from gdtui.cli.commands.train.hosting import RunHost
from gdtui.cli.hosts.reaching import short_name

FORWARDED: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
"""Signals that are the program's."""
_FROM_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)
"""Signals that a terminal sends to the program as well, since it is in the same process group."""
_BY_KERNEL: Final = 0x80
"""SI_KERNEL: sent by a terminal rather than by a process; see sigaction(2)."""
_TICK: Final = 0.05
_MOST_WAITING: Final = 1 << 16
"""Bytes that wait for a reader of our output before the program has to wait."""
_PIECE: Final = select.PIPE_BUF
"""Bytes that a pipe or terminal takes without blocking once poll() reports it as writable."""
_INTERRUPTS: Final = 2
"""Times that Ctrl+C is pressed before we say what ends a program that does not heed it."""
_HEED_SECONDS: Final = 1.0
NOT_LISTENING: Final = "the program does not listen to keys: add gdtui.track to its code"
NO_TERMINAL: Final = (
    "the program has no terminal of its own: it was started without a screen, and reads the stdin "
    "of gdtui run"
)
_LAST_SECONDS: Final = 0.2
"""Seconds that are waited for the output of processes which the program has left behind."""


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Hold back the signals that are the program's, so that `ProgramLoop` can pass them on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class HostedProgram:
    """A program, as the clients of its host see it: no command changes how it trains."""

    epochs: Final = 1

    def __init__(
        self, run: RunDirectory, program: ChildProgram, recording: ProgramRecording
    ) -> None:
        self.run = run
        self._program, self._recording = program, recording
        variants = run.info.settings.variants
        self.wanted = {each.name: each.settings for each in variants}

    def resume(self) -> None:
        """Do nothing: no client can pause it."""

    def obey(self, commands: Mapping[str, AnyCommand]) -> tuple[CommandSent, ...]:
        """Take answers and what is typed; refuse all other commands."""
        for command in commands.values():
            if isinstance(command, Answer):
                self._answer(command)
            elif isinstance(command, TypeText):
                self._type(command)
            else:
                raise OrderError(NOT_LISTENING)
        return ()

    def _answer(self, command: Answer) -> None:
        try:
            self._recording.answer(command.question, command.choice)
        except AnswerError as error:
            raise OrderError(str(error)) from None

    def _type(self, command: TypeText) -> None:
        if self._program.status is not None:
            raise OrderError("the program has ended")
        if not self._program.has_terminal:
            raise OrderError(NO_TERMINAL)
        if not self._program.type(command.data):
            raise OrderError("the program does not read what is typed: nothing more fits")


class ProgramLoop:
    """A program that runs, and everything that happens meanwhile."""

    def __init__(
        self,
        program: ChildProgram,
        recording: ProgramRecording,
        host: RunHost,
        sinks: Mapping[int, int] = MappingProxyType({}),
        say: Callable[[str], object] | None = None,
    ) -> None:
        """`sinks`: our descriptor for each stream of the program's that is passed on.

        `say`: tells the user at once; None leaves it to the screens.
        """
        self._program, self._recording, self._host = program, recording, host
        self._name = short_name(recording.path)
        self._sinks = dict(sinks)
        self._waiting = {stream: bytearray() for stream in sinks}
        if host.trouble:
            recording.say(host.trouble)
        self._say = say or recording.say
        self._interrupts = 0
        self._interrupted_at = math.inf
        """The time of the last Ctrl+C after which we say how to end the program."""
        self._published = 0
        """Remarks outside the log that have been sent to screens."""
        self._ending = ProgramEnding(program)
        adopt_orphans()

    def stop(self) -> None:
        """Ask the program to end; it is killed if it takes too long."""
        self._ending.ask()

    def run(self, check: Callable[[], object]) -> int:
        """Pass everything on until the program has ended; returns its status.

        `check` is called several times a second.
        """
        while (status := self._program.status) is None:
            self._wait(_TICK)
            self._host.wait(0)
            check()
            self._publish()
            self._pass_signals_on()
            self._advise()
            if self._host.is_end_asked:
                self.stop()
            self._ending.check()
            reap_orphans(self._program.pid)
        while not self._ending.is_over():
            self._wait(_TICK)
            self._host.wait(0)
            reap_orphans(self._program.pid)
        self._finish()
        self._recording.end(status, is_asked=self._ending.is_asked, detail=self._ending.detail)
        return status

    def _publish(self) -> None:
        """Send to all screens what the log cannot tell them."""
        new = self._recording.troubles[self._published :]
        if new and self._host.viewers:
            self._published += len(new)
            self._host.publish(
                Notice(kind=NoticeKind.REMARK, variant=None, text=text) for text in new
            )

    def _finish(self) -> None:
        """Pass on what the program has left in its pipes; wait for other processes only briefly."""
        silent_since = time.monotonic()
        while self._program.streams and time.monotonic() < silent_since + _LAST_SECONDS:
            if self._wait(_LAST_SECONDS):
                silent_since = time.monotonic()
        for stream in [*self._program.streams]:
            self._program.close(stream)
        while any(self._waiting.values()):
            self._wait(_TICK)

    # --- Output ---------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> bool:
        """Wait until something can be passed on, and do it; True if anything was read."""
        poll = select.poll()
        for stream, file in self._program.streams.items():
            if self._has_room(stream):
                poll.register(file, select.POLLIN)
        for sink in {self._sinks[each] for each, data in self._waiting.items() if data}:
            poll.register(sink, select.POLLOUT)
        if (host := self._host.fileno()) is not None:
            poll.register(host, select.POLLIN)
        poll.poll(seconds * 1000)
        was_read = self._read()
        self._write()
        return was_read

    def _read(self) -> bool:
        """Read both streams, stderr first, and record stdout first.

        A bar on stderr is drawn again after a line on stdout, and tells the step of that line:
        whatever was on stderr now, the line before it is there as well.
        """
        data = {}
        for stream in (2, 1):
            if self._has_room(stream):
                data[stream] = self._program.read(stream)
        for stream in (1, 2):
            if part := data.get(stream):
                self._recording.take(stream, part)
                if stream in self._waiting:
                    self._waiting[stream] += part
        return any(data.values())

    def _has_room(self, stream: int) -> bool:
        return len(self._waiting.get(stream, b"")) < _MOST_WAITING

    def _write(self) -> None:
        for stream, data in self._waiting.items():
            sink = self._sinks[stream]
            while data and _is_writable(sink):
                try:
                    del data[: os.write(sink, data[: _piece(sink)])]
                except BrokenPipeError:
                    data.clear()
                    self._program.close(stream)
                except OSError:  # a full disk, or a terminal that is gone
                    data.clear()

    # --- Signals --------------------------------------------------------------------------------

    def _pass_signals_on(self) -> None:
        for number, is_from_terminal in _received():
            if number == signal.SIGINT:
                self._interrupts += 1
                self._interrupted_at = time.monotonic()
            if number == signal.SIGINT and not is_from_terminal:
                self._program.interrupt()
            elif not is_from_terminal:
                self._program.send(number)

    def _advise(self) -> None:
        """Say what ends a program that goes on after Ctrl+C."""
        has_waited = time.monotonic() > self._interrupted_at + _HEED_SECONDS
        if self._interrupts >= _INTERRUPTS and has_waited:
            self._interrupts, self._interrupted_at = 0, math.inf
            self._say(f"the program goes on after Ctrl+C; gdtui stop {self._name} ends it")


def _received() -> Iterator[tuple[int, bool]]:
    """The signals that have arrived, each with True if the terminal has sent it to all of us."""
    while (waiting := signal.sigpending() & {*FORWARDED}) and sys.platform == "linux":
        if (found := signal.sigtimedwait(waiting, 0)) is None:
            return
        is_ours = found.si_code == _BY_KERNEL and found.si_signo in _FROM_TERMINAL
        yield found.si_signo, is_ours
    for _ in waiting:
        number = signal.sigwait(waiting)
        yield number, number in _FROM_TERMINAL and os.isatty(0)


def _is_writable(file: int) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLOUT)
    return bool(poll.poll(0))


def _piece(file: int) -> int:
    return PORTION if stat.S_ISREG(os.fstat(file).st_mode) else _PIECE
