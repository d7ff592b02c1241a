"""The exit status of every command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit statuses; for a signal it is 128 plus the signal's number, as in a shell."""

    OK = 0
    FAILED = 1
    USAGE_ERROR = 2
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    """The status by which a shell reports a command that SIGPIPE ended."""


def signal_status(number: int) -> int:
    """The exit status of a command that this signal ended, as a shell reports it."""
    return 128 + number
