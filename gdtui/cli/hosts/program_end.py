"""The end of a program that a host ran, as its run has recorded it."""

import signal
from contextlib import suppress
from pathlib import Path

from engine.log.directory import RunDirectory, RunDirectoryError


def program_end(path: Path) -> str:
    """A sentence about the exit status; empty for a run without a program, or before its end."""
    status, _ = _read(path)
    if status is None:
        return ""
    if status >= 0:
        return f"the program has ended with exit status {status}"
    name = f"signal {-status}"
    with suppress(ValueError):
        name = signal.Signals(-status).name
    return f"the program was ended by {name}"


def force_used(path: Path) -> str:
    """A sentence about a program that had to be killed to stop it; empty for every other run."""
    status, detail = _read(path)
    return "" if status is None else detail


def _read(path: Path) -> tuple[int | None, str]:
    """The exit status of the run's program, None without one, and what the log says about it."""
    from gdtui.state.stored_runs import RunReader  # imports numpy

    with suppress(RunDirectoryError):
        reader = RunReader(RunDirectory.open(path))
        status = reader.progress().exit_status
        return status, next((tally.detail for tally in reader.tallies), "")
    return None, ""
