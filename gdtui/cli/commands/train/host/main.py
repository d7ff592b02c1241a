"""The main function of a host process that an app has started.

It trains once the app has greeted it, goes on without any screen, and ends when a client ends the
run, or when it was left alone for a while after the end of the run.
"""

import contextlib
import os
import select
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.custody import Custody
from engine.log.filesystem.safe_open import output_opened
from gdtui.cli.commands.train.host.messages import Begin, HostTask, Load, receive, send
from gdtui.cli.exit_codes import ExitCode, signal_status

if TYPE_CHECKING:
    from engine.problems.loader import Loaded
    from gdtui.cli.commands.train.hosting import HostedSession
    from gdtui.cli.commands.train.monitor import RunMonitor

_READ_SECONDS: Final = 0.5
"""Seconds between two reads of the logs while a screen reads them, too."""
_IDLE_SECONDS: Final = 0.5
"""Seconds between two looks at the workers after the end of the run; commands come in between."""


def main(link: socket.socket) -> int:
    """Load what is to be loaded, then be the host; returns the exit status."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with Path(os.devnull).open("r+b") as nowhere:
        for number in (0, 1, 2):
            os.dup2(nowhere.fileno(), number)
    while True:
        try:
            message, files = receive(link)
        except (EOFError, OSError):
            return ExitCode.OK  # the app has ended before it began a run
        if isinstance(message, Begin):
            custody = Custody.taken_over(files[0], message.stored, [*files, None][1])
            return _host(RunDirectory.taken_over(message.run, custody), message.task, link)
        send(link, _load(link, message))


def _load(link: socket.socket, order: Load) -> "Loaded | Exception":
    from engine.jobs.fork_server import warm_up
    from engine.problems.loading import LoadingError, load
    from engine.session.host.processes import is_ready

    def check(_: object) -> None:
        if is_ready(link, select.POLLIN, 0):
            raise EOFError("the app has ended")

    try:
        with output_opened(Path(order.task.output)) as output:
            warm_up(output, with_compiler=order.with_compiler)
        return load(order.task, check)
    except (LoadingError, OSError) as error:
        return error


def _host(run: RunDirectory, task: HostTask, link: socket.socket) -> int:
    """Train until the run is ended; returns the exit status."""
    if not _is_greeted(link):  # and nothing is imported before, which would delay the first frame
        return ExitCode.FAILED  # the app has ended before it
    if not task.is_reopened:
        _warm_up(run)  # first, since importing torch takes longest
    _open_output(run)
    from engine.session.host.processes import end_others
    from gdtui.cli.commands.train.hosting import (
        HostedSession,
        ReopenedHostedSession,
        end_signals,
    )

    with end_signals() as received:
        from gdtui.cli.commands.progress_report import ProgressReport
        from gdtui.cli.commands.train.monitor import WAITS, RunMonitor

        if task.resumes_to is not None:
            from engine.session.past import ResumedRun

            run = ResumedRun.of(run, task.resumes_to)
        begin = ReopenedHostedSession if task.is_reopened else HostedSession
        try:
            session = begin(run, link)
        except RunDirectoryError as error:
            return _refuse(link, error)
        with session:
            session.start()
            monitor = RunMonitor(run, ProgressReport("train", None), WAITS)
            _train(session, monitor, received, task.linger)
    end_others()
    return _report(run, monitor, received)


def _warm_up(run: RunDirectory) -> None:
    from engine.jobs.fork_server import warm_up

    with contextlib.suppress(OSError), output_opened(run.server_output) as output:
        warm_up(output)


def _refuse(link: socket.socket, error: RunDirectoryError) -> int:
    """Report to the app why nothing can be trained; returns the exit status."""
    from engine.session.host.protocol import Refusal, frame

    link.setblocking(True)
    with contextlib.suppress(OSError):  # the app has ended
        link.sendall(frame(Refusal(reason=str(error))))
    return ExitCode.FAILED


def _open_output(run: RunDirectory) -> None:
    """Write to the run's file, if that is possible."""
    from engine.session.host.note import OUTPUT

    with contextlib.suppress(OSError), output_opened(run.path / OUTPUT) as file:
        os.dup2(file, 1)
        os.dup2(file, 2)


def _is_greeted(link: socket.socket) -> bool:
    """Wait for the app's first frame, after which it greets; False if it has ended instead."""
    link.setblocking(True)
    return bool(link.recv(1, socket.MSG_PEEK))


def _train(
    session: "HostedSession", monitor: "RunMonitor", received: list[int], linger: float
) -> None:
    """Train until a client or a signal ends the run, or until the host was left alone."""
    from gdtui.cli.commands.train.monitor import TICK

    host, alone_since, read_at, is_quiet = session.host, time.monotonic(), 0.0, True
    while not (received or host.is_end_asked):
        now = time.monotonic()
        if host.viewers:
            monitor.heed(session.poll(), session, is_alone=False)
            if now - read_at >= _READ_SECONDS:
                read_at = now
                monitor.follow(session)
        else:
            monitor.look(session)
        host.note_end(monitor.has_ended)
        if host.viewers or not monitor.has_ended:
            alone_since = now
        elif now - alone_since >= linger:
            break
        patience = _IDLE_SECONDS if monitor.has_ended and is_quiet else TICK
        host.wait(patience)
        is_quiet = time.monotonic() - now >= patience  # else commands may wait to be sent


def _report(run: RunDirectory, monitor: "RunMonitor", received: list[int]) -> int:
    """Print the results into the run's file; returns the exit status."""
    from gdtui.cli.commands.train.output import table

    monitor.read()
    monitor.close()
    table(run, monitor.tallies)
    failed = monitor.explain_failures(debug=True)
    if received:
        return signal_status(received[0])
    return ExitCode.FAILED if failed else ExitCode.OK
