"""One worker as its session knows it: its process, its pipe, how it died, how it is ended."""

import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from engine.log.commands import AnyCommand
from engine.settings import Variant

_END_SECONDS: Final = 1.0
"""How long a process may take to end that should have."""


@dataclass(slots=True)
class Handle:
    """One variant's worker as the session knows it."""

    variant: Variant
    process: BaseProcess | None = None
    pipe: Connection | None = None
    is_dead: bool = False
    server_died: bool = False
    last_words: str = ""
    """Why it said that it ends."""
    is_paused: bool = False
    """It was told to pause, and not since to go on: so begins who takes its place."""
    outbox: list[AnyCommand] = field(default_factory=list)
    """Sent before the worker had a pipe."""


def cause_of_death(handle: Handle) -> str:
    """Such as "was ended by SIGKILL"; without the fork server nobody knows more than it said itself."""
    if handle.last_words:
        return f"has ended: {handle.last_words}"
    process = handle.process
    if process is None or handle.server_died:
        return "has died"
    process.join(0.2)
    code = process.exitcode
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return "has died"


def end(handle: Handle, deadline: float) -> None:
    """Wait for a worker's pipe to end, then for its process; kill it after the deadline."""
    process, pipe = handle.process, handle.pipe
    if process is None or pipe is None:
        return
    try:
        while pipe.poll(max(0.0, deadline - time.monotonic())):
            pipe.recv_bytes()  # EOFError once the worker is gone
    except (EOFError, OSError):
        process.join(_END_SECONDS)
    else:
        process.kill()
        process.join(_END_SECONDS)
    pipe.close()
