"""Runs a job as the host of its directory: it outlives its terminal, and others can end it.

The host of a sweep or an experiment answers as that of a run does, but takes no commands.
"""

import contextlib
import select
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click

from engine.jobs.fork_server import warm_up
from engine.jobs.messages import Failure, Job, PartialResult, Progress, Result
from engine.log.directory import RunDirectoryError, server_output
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.filesystem.safe_open import output_opened
from engine.session.host.client import HostError, HostLink, find_host
from engine.session.host.processes import is_ready, wait_for_end
from engine.session.hosted import HostedWork
from gdtui import __version__
from gdtui.cli.command import one_line
from gdtui.cli.commands.progress_report import ProgressReport, progress_report
from gdtui.cli.commands.train import detached
from gdtui.cli.commands.train.hosting import RunHost, TerminalOutput, end_signals
from gdtui.cli.commands.train.monitor import TICK
from gdtui.cli.exit_codes import ExitCode, signal_status
from gdtui.cli.streams import print_error
from gdtui.view.text.progress.job import JobProgress

T = TypeVar("T")

_LOOK_SECONDS: Final = 3600.0
_END_SECONDS: Final = 30.0
"""Seconds that a host gets to end once it has left its clients."""


class JobStoppedError(Exception):
    """The end of a job by a signal or a client; `status` is the exit status of the command."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by signal {number}")
        self.status = signal_status(number)


class JobFailedError(Exception):
    """The end of a job without a result."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


def run_hosted(start: Callable[[], Job[T]], work: HostedWork, command: str, *, is_quiet: bool) -> T:
    """Start the job and host it until it ends; returns its result.

    Raises JobFailedError, JobStoppedError, and RunDirectoryError if the directory is not writable.

    `command`: the name of the command, for its messages. In a host that was started without a
    terminal, the directory is reported to its starter once the job is under way.
    """
    path = work.run.path
    with end_signals() as received, progress_report(command, is_quiet=is_quiet) as shown:
        output = TerminalOutput(path)
        _start_server(path)
        host = RunHost(work)
        try:
            if host.trouble:
                print_error(f"gdtui {command}: {host.trouble}")
            end = _run(start, host, _Starter(path, output, shown, received), received)
        finally:
            host.close()
            output.check()
    if isinstance(end, Failure):
        raise JobFailedError(end)
    if end is None:
        raise JobStoppedError(received[0] if received else signal.SIGTERM)
    return end.value


def wait_for_host(path: Path, command: str) -> bool:
    """Wait for the end of the host that is at work there; True if there was one.

    Ctrl+C leaves it alone. In a host that was started without a terminal, does not wait.
    """
    if detached.is_host():
        return False
    try:
        link = HostLink(path, find_host(path), __version__, is_viewer=True)
    except HostError:
        return False
    print_error(
        f"gdtui {command}: process {link.welcome.pid} is at work on {path}; waiting for its end. "
        "Ctrl+C leaves it alone, gdtui stop ends it"
    )
    with contextlib.closing(link):
        while not link.lost:
            is_ready(link.fileno(), select.POLLIN, _LOOK_SECONDS)
            link.receive()
        wait_for_end([link.welcome.pid], _END_SECONDS)
    return True


def _start_server(path: Path) -> None:
    """Start the process from which others are forked; it must not keep the terminal open."""
    file = server_output(path)
    try:
        with output_opened(file) as output:
            warm_up(output)
    except OSError as error:
        raise RunDirectoryError(cannot_write(error, file), path) from None


class _Starter:
    """The command that waits for a host without a terminal, and the progress on a terminal."""

    def __init__(
        self, path: Path, output: TerminalOutput, shown: ProgressReport, received: list[int]
    ) -> None:
        self._path, self._output, self._shown, self._received = path, output, shown, received
        self._so_far = JobProgress()
        self._waits = detached.is_host()

    def heed(self, message: Progress | PartialResult | Result[T] | Failure) -> None:
        """Show the progress; release the starter once the job is under way."""
        is_under_way = isinstance(message, Result)
        if isinstance(message, Progress):
            self._shown.show(self._so_far.tell(message.fraction, message.activity))
            is_under_way = message.fraction > 0
        if self._waits and is_under_way:
            self._waits = False
            self._shown.erase()
            if detached.announce(self._path):
                self._output.detach()
            else:
                self._received.append(signal.SIGHUP)


def _run(
    start: Callable[[], Job[T]], host: RunHost, starter: _Starter, received: list[int]
) -> Result[T] | Failure | None:
    """The end of the job; None if a signal or a client ended it."""
    job = start()
    try:
        while not (received or host.is_end_asked):
            for message in job.poll():
                starter.heed(message)
                if isinstance(message, Result | Failure):
                    return message
            host.wait(TICK)
    finally:
        job.close()
    return None


def tell_unfinished(path: Path, command: str) -> int:
    """Say that a host ended before its work was done; returns the exit status."""
    print_error(
        f"gdtui {command}: it ended early; gdtui {command} --run-dir {path} goes on with it"
    )
    return ExitCode.FAILED


def explain(failure: Failure, command: str, *, debug: bool) -> int:
    """Say why a job has no result; returns the exit status. Raises a usage error."""
    if debug and failure.traceback:
        print_error(failure.traceback.rstrip())
    if failure.is_usage_error:
        raise click.UsageError(failure.detail)
    print_error(f"gdtui {command}: {one_line(failure.detail)}")
    return ExitCode.FAILED
