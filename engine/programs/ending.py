"""The end of a program on request, with all processes that it has started.

The program gets SIGTERM first, alone: it may have to save a checkpoint with the help of its own
processes. Those that are left after it get SIGTERM as well, and whatever outlasts the grace period
is killed.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

from engine.programs.process import ChildProgram
from engine.session.host.processes import descendants, end_others, is_alive

GRACE_SECONDS: Final = 10.0
"""Seconds from the request until everything that is left is killed."""
_LAST_SECONDS: Final = 2.0
"""Seconds for which killed processes, and what they have started meanwhile, are looked for."""
_PR_SET_CHILD_SUBREAPER: Final = 36


def adopt_orphans() -> None:
    """Become the parent of every process that the program starts and leaves behind.

    Otherwise `descendants` would miss them. Linux only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(program: int) -> None:
    """Take note of adopted processes that have ended; leave the program's status to its owner."""
    while sys.platform == "linux":  # elsewhere none are adopted
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid == program:
            return
        with contextlib.suppress(ChildProcessError):
            os.waitpid(ended.si_pid, os.WNOHANG)


class ProgramEnding:
    """The end of a program, once it has been asked for."""

    def __init__(self, program: ChildProgram, clock: Callable[[], float] = time.monotonic) -> None:
        self._program, self._clock = program, clock
        self._asked_at: float | None = None
        self._were_others_asked = False
        self.killed = 0
        """Processes that had to be killed."""

    @property
    def is_asked(self) -> bool:
        """True once the program has been asked to end."""
        return self._asked_at is not None

    @property
    def detail(self) -> str:
        """A sentence about the processes that had to be killed; empty if none had."""
        if not self.killed:
            return ""
        one, them = self.killed == 1, "it" if self.killed == 1 else "them"
        processes = "it was" if one else f"{self.killed:,} processes were"
        return f"{processes} killed, since SIGTERM had not ended {them} within {GRACE_SECONDS:g} s"

    def ask(self) -> None:
        """Send SIGTERM to the program. Safe to repeat."""
        if self._asked_at is None:
            self._asked_at = self._clock()
            self._program.send(signal.SIGTERM)

    def check(self) -> None:
        """Kill everything once the grace period is over."""
        if self._asked_at is not None and self._clock() > self._asked_at + GRACE_SECONDS:
            self._kill()

    def is_over(self) -> bool:
        """True if nothing is left of a program that has ended; else ends what it left behind.

        To be called several times a second. It gives up on processes that cannot be killed.
        """
        if self._asked_at is None or not (left := _others()):
            return True
        if not self._were_others_asked:
            self._were_others_asked = True
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        self.check()
        return self._clock() > self._asked_at + GRACE_SECONDS + _LAST_SECONDS

    def _kill(self) -> None:
        self.killed = max(self.killed, len(_others()))
        end_others()


def _others() -> list[int]:
    """The processes that came out of this one and run."""
    return [pid for pid in descendants(os.getpid()) if pid != os.getpid() and is_alive(pid)]
