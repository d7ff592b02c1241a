"""Starts, commands, monitors and stops the workers of a run.

session        the only interface to the workers: start, commands, notices, close
reopened       a session that continues the logs of a run that has ended
command_queue  numbers, logs and sends commands
remote_worker  a variant's worker as seen from the session's process
session_log    the log of what workers cannot record
run_files      checks that the run's files are still where they were opened
host           the socket through which other processes command a session

`Session` is imported on first use, since clients of a host need only `host`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.session.session import Session

__all__ = ["Session"]


def __getattr__(name: str) -> object:
    if name != "Session":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from engine.session.session import Session

    return Session
