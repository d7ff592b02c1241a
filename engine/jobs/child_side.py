"""The child's end: the first steps of a process of ours, and its end with whoever started it."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

from engine.jobs.output import redirect_output

_NICENESS: Final = 10
"""These processes give way to the screen: on two busy cores 10 ms of it took 22–27 ms without this.
"""
SAFE_PATH: Final = "PYTHONSAFEPATH"
"""Python's variable that keeps the working directory off sys.path; set for the fork server."""
SAFE_PATH_OURS: Final = "set by gdtui"
"""Its value where the user did not set it."""


def settle_process() -> None:
    """Be a quiet, patient process: the terminal's signals and the screen are the parent's.

    What it prints goes nowhere, unless its work redirects that.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.environ.get(SAFE_PATH) == SAFE_PATH_OURS:
        del os.environ[SAFE_PATH]  # what a user's code starts has the user's environment
    os.nice(_NICENESS)
    redirect_output()


def end_with_parent(
    pipe: Connection, at_end: Callable[[], float], take: Callable[[bytes], None]
) -> None:
    """Read the pipe on a thread of its own; when it ends, end this process at once.

    `take` is given each message. `at_end`: called at the pipe's end; returns the seconds that the
    process then still has to end by itself.
    """

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                take(pipe.recv_bytes())
        time.sleep(at_end())
        os._exit(1)

    threading.Thread(target=listen, daemon=True, name="parent").start()
