"""The recording of a program: its console, its log, and what the user is told about it."""

import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.records import State
from engine.programs.console import ConsoleFile
from engine.programs.journal import ProgramJournal
from engine.programs.reader import Reader
from engine.programs.readings import Answered, Choice, Event, Question, Remark
from engine.session.session_log import SessionLog
from engine.worker.protocol import RunClock

_MOST_REMARKS: Final = 200
_NOTHING_READ: Final = (
    "no loss was recognised in what the program printed: --pattern REGEX names it, such as "
    "--pattern 'cost (?P<loss>[0-9.e-]+)'"
)


class ProgramRecording:
    """Keeps what a program prints, and what is read from it, in the program's run."""

    def __init__(
        self,
        run: RunDirectory,
        pattern: re.Pattern[str] | None = None,
        *,
        keeps_console: bool = True,
        on_change: Choice | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin the logs of the run, which has one variant. Raises RunDirectoryError, LogError.

        `on_change`: the answer to every question about what changed its meaning; None asks.
        """
        self._run, self._clock = run, clock
        name = run.info.settings.variants[0].name
        self._reader = Reader(pattern, on_change)
        self._console = ConsoleFile(run.variant_output(name)) if keeps_console else None
        run_clock = RunClock.start()
        self.remarks: list[str] = []
        """How the output is read, and what went wrong; one sentence each."""
        self.troubles: list[str] = []
        """Those that the log does not hold."""
        self._session_log = SessionLog(run, run_clock, self._report_session)
        self._journal = ProgramJournal(run, name, run_clock, self._report)
        self._is_read = False

    @property
    def path(self) -> Path:
        """The directory of the run."""
        return self._run.path

    def take(self, stream: int, data: bytes) -> None:
        """Take in what the program has printed on a stream."""
        if self._console is not None:
            self._console.write(data)
        self._add([*self._reader.feed(data, stream)])

    def _add(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Remark | Question) and len(self.remarks) >= _MOST_REMARKS:
                continue
            if isinstance(event, Remark):
                self.remarks.append(event.text)
            elif isinstance(event, Question):
                self.remarks.append(f"{event.text}; --on-change counts it otherwise")
            elif not isinstance(event, Answered):
                self._is_read = True
        if events:
            self._journal.add(events, self._clock())

    def answer(self, number: int, choice: str) -> None:
        """Take the user's answer to a question, 0 for the open one. Raises AnswerError."""
        events = [*self._reader.answer(number, choice)]
        self.remarks += [event.text for event in events if isinstance(event, Answered)]
        self._add(events)

    def say(self, text: str) -> None:
        """Add a remark that is not about the output."""
        self.remarks.append(text)
        self.troubles.append(text)

    def end(self, status: int, *, is_asked: bool, detail: str = "") -> None:
        """Close the logs: the program has ended with this status, or minus this signal.

        `is_asked`: a user asked for the end; `detail` says how it came about.
        """
        self._add([*self._reader.finish()])
        if not self._is_read:
            self._add([Remark(_NOTHING_READ)])
        state, reason = _state(status, is_asked=is_asked)
        self._journal.end(state, detail or reason, status)
        self._session_log.close()
        if self._console is not None:
            self._console.close()
        self._run.custody.release()

    def _report(self, error: OSError) -> None:
        name = self._run.info.settings.variants[0].name
        self.say(cannot_write(error, self._run.variant_log(name)))

    def _report_session(self, error: OSError) -> None:
        self.say(cannot_write(error, self._run.session_log))


def _state(status: int, *, is_asked: bool) -> tuple[State, str]:
    """The state of the run after its program, and a sentence about it."""
    if status == 0:
        return State.FINISHED, ""
    if is_asked or status in (-signal.SIGINT, -signal.SIGTERM):
        return State.STOPPED, ""
    if status > 0:
        return State.FAILED, f"the program ended with exit status {status}"
    name = str(-status)
    with suppress(ValueError):
        name = signal.Signals(-status).name
    return State.FAILED, f"the program was killed by {name}"
