"""The progress of a long command on stderr: a line redrawn in place, or one a minute in a log."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from gdtui.cli.streams import is_terminal, prints_lines_only
from gdtui.view.text.progress.line import CommandProgress, in_ascii, line, sentence

_FRAME: Final = 0.1
"""Seconds between two redraws on a terminal."""
_LOG: Final = 60.0
"""Seconds between two lines when stderr is not a terminal, so that a log stays short."""
_ERASE: Final = "\r\x1b[K"
_COLUMNS: Final = 80
"""Width of a terminal that does not report one."""


@contextmanager
def progress_report(command: str, *, is_quiet: bool = False) -> Iterator["ProgressReport"]:
    """Report the progress of `gdtui COMMAND` on stderr while the block runs."""
    report = ProgressReport(command, None if is_quiet else sys.stderr)
    try:
        yield report
    finally:
        report.erase()


class ProgressReport:
    """Writes progress to a stream at a suitable rate, and stops once the stream breaks."""

    def __init__(
        self, command: str, stream: TextIO | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`stream` None writes nothing. `clock` returns seconds since an arbitrary start."""
        self._command = command
        self._stream = stream
        self._clock = clock
        self._is_redrawn = is_terminal(stream) and not prints_lines_only()
        self._due = clock() + (0.0 if self._is_redrawn else _LOG)
        self._drawn = ""

    @property
    def is_due(self) -> bool:
        """True once it is time for new progress; until then there is no need to compute any."""
        return self._stream is not None and self._clock() >= self._due

    def show(self, progress: CommandProgress) -> None:
        """Show the progress, if it is due."""
        if self._stream is None or not self.is_due:
            return
        if self._is_redrawn and not is_terminal(self._stream):  # it goes to a file since a hangup
            self._is_redrawn, self._drawn = False, ""
            self._due = self._clock()
        if not self._is_redrawn:
            self._due += _LOG
            self._write(f"gdtui {self._command}: {sentence(progress)}\n")
            return
        self._due = self._clock() + _FRAME
        text = line(self._command, progress, self._columns() - 1)  # the last column would wrap
        if text != self._drawn and self._is_in_front():
            self._drawn = text
            self._write(_ERASE + text)

    def erase(self) -> None:
        """Remove the line, before other output is written or at the end."""
        if self._drawn:
            self._drawn = ""
            self._write(_ERASE)

    def _write(self, text: str) -> None:
        stream = self._stream
        if stream is None:
            return
        try:
            stream.write(text if _can_take(stream, text) else in_ascii(text))
            stream.flush()
        except OSError:  # a terminal that hung up, a pipe without a reader
            self._stream, self._drawn = None, ""

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._descriptor()).columns or _COLUMNS
        except OSError:
            return _COLUMNS

    def _is_in_front(self) -> bool:
        """False for a background job, which must not write over what the user is typing."""
        try:
            return os.tcgetpgrp(self._descriptor()) == os.getpgrp()
        except OSError:  # not the terminal that controls this process
            return True

    def _descriptor(self) -> int:
        if self._stream is None:
            raise OSError
        return self._stream.fileno()


def _can_take(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
