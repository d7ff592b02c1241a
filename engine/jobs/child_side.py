"""The child's side: how a child process begins, and how it ends when its parent does."""

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
"""Gives the screen priority: on two busy cores, 10 ms of its work took 22–27 ms without this."""
SAFE_PATH: Final = "PYTHONSAFEPATH"
"""Python's variable that keeps the working directory off sys.path; set for the fork server."""
SAFE_PATH_OURS: Final = "set by gdtui"
"""The value of that variable if gdtui set it, not the user."""


def settle_process() -> None:
    """Set up this process: ignore signals that are for the parent; lower priority.

    These are the signals of the terminal, and SIGUSR1, which a job scheduler may send to all
    processes of a job. Output is discarded, unless the process redirects it.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # blocked by the fork server
    if os.environ.get(SAFE_PATH) == SAFE_PATH_OURS:
        del os.environ[SAFE_PATH]  # processes that a user's code starts get the user's environment
    os.nice(_NICENESS)
    redirect_output()


def end_with_parent(
    pipe: Connection, at_end: Callable[[], float], take: Callable[[bytes], None]
) -> None:
    """Read the pipe in a separate thread; when the pipe ends, end this process.

    The thread passes each message to `take`. When the pipe ends, it calls `at_end`, which returns
    the number of seconds that the process still has to end by itself.
    """

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                take(pipe.recv_bytes())
        time.sleep(at_end())
        os._exit(1)

    threading.Thread(target=listen, daemon=True, name="parent").start()
