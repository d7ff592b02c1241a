"""A host process of its own for a run on screen: starts it, and is what runs in it.

The process leads its own session, so that no lost terminal reaches it, and writes its output to the
run's file. It trains once the app has greeted it, goes on without any screen, and ends when a
client ends the run, or when it was left alone for a while after the end of the run.
"""

import atexit
import contextlib
import gc
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.directory import RunDirectory
from engine.log.filesystem.custody import Custody
from engine.log.filesystem.safe_open import output_opened
from gdtui.cli.exit_codes import ExitCode, signal_status

if TYPE_CHECKING:
    from gdtui.cli.commands.train.hosting import HostedSession
    from gdtui.cli.commands.train.monitor import RunMonitor

_MAIN: Final = """\
import sys
sys.path[:] = {path!r}
from gdtui.cli.commands.train.host_process import HostTask, run_started
sys.exit(run_started({arguments}))"""

_READ_SECONDS: Final = 0.5
"""Seconds between two reads of the logs while a screen reads them, too."""
_IDLE_SECONDS: Final = 0.5
"""Seconds between two looks at the workers after the end of the run; commands come in between."""


@dataclass(frozen=True, slots=True)
class HostProcess:
    """A host that was started, and the app's connection to it."""

    pid: int
    link: socket.socket


@dataclass(frozen=True, slots=True)
class HostTask:
    """The work of a host."""

    linger: float
    """Seconds for which it waits for commands after the end while no screen is attached."""
    is_reopened: bool = False
    """True if the run has ended, and trains only once a command asks for it."""
    resumes_to: int | None = None
    """The epochs, in total, up to which a run that has ended goes on; None for another run."""


def start_host(run: RunDirectory, task: HostTask) -> HostProcess:
    """Start the host of a run, which takes over the run from this process."""
    ours, theirs = socket.socketpair()
    if threading.active_count() == 1 and "multiprocessing.forkserver" not in sys.modules:
        pid = _fork(run, task, ours, theirs)  # takes less than a millisecond
    else:  # the locks of other threads, and a fork server, are useless in a fork
        pid = _spawn(run, task, theirs)
    theirs.close()
    run.custody.hand_on()
    return HostProcess(pid, ours)


def _fork(run: RunDirectory, task: HostTask, ours: socket.socket, theirs: socket.socket) -> int:
    _flush()
    pid = os.fork()
    if pid:
        return pid
    status: int = ExitCode.FAILED
    try:
        gc.freeze()  # leaves the pages of the parent's objects shared
        ours.close()
        os.setsid()
        status = _host(run, task, theirs)
    except BaseException:  # it must not reach the parent's code
        with contextlib.suppress(OSError):
            traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        _flush()
        os._exit(status)


def _spawn(run: RunDirectory, task: HostTask, theirs: socket.socket) -> int:
    import subprocess  # takes a hundredth of the first frame

    holding, handover = run.custody.locks
    link, stored = theirs.fileno(), run.custody.stored
    arguments = f"{str(run.path)!r}, {task}, {link}, {holding}, {stored!r}, {handover}"
    process = subprocess.Popen(
        [sys.executable, "-c", _MAIN.format(path=sys.path, arguments=arguments)],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[link, *(lock for lock in (holding, handover) if lock is not None)],
    )
    process.returncode = 0  # it may outlive this process, which therefore never waits for it
    return process.pid


def run_started(
    path: str, task: HostTask, link: int, holding: int, stored: str, handover: int | None
) -> int:
    """Be the host of a run that another process has created; returns the exit status."""
    for file in (link, holding, handover):
        if file is not None:
            os.set_inheritable(file, False)
    custody = Custody.taken_over(holding, stored, handover)
    run = RunDirectory.taken_over(Path(path), custody)
    return _host(run, task, socket.socket(fileno=link))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, AttributeError, ValueError):
            stream.flush()


# --- In the host ----------------------------------------------------------------------------------


def _host(run: RunDirectory, task: HostTask, link: socket.socket) -> int:
    """Train until the run is ended; returns the exit status."""
    _leave_terminal(run)
    from engine.jobs.fork_server import warm_up
    from engine.session.host.processes import end_others
    from gdtui.cli.commands.train.hosting import (
        HostedSession,
        ReopenedHostedSession,
        end_signals,
    )

    with end_signals() as received:
        if not _is_greeted(link):
            return ExitCode.FAILED  # the app has ended before its first frame
        if not task.is_reopened:
            with output_opened(run.server_output) as output:
                warm_up(output)  # first, since importing torch takes longest
        from gdtui.cli.commands.progress_report import ProgressReport
        from gdtui.cli.commands.train.monitor import WAITS, RunMonitor

        if task.resumes_to is not None:
            from engine.session.past import ResumedRun

            run = ResumedRun.of(run, task.resumes_to)
        begin = ReopenedHostedSession if task.is_reopened else HostedSession
        with begin(run, link) as session:
            session.start()
            monitor = RunMonitor(run, ProgressReport("train", None), WAITS)
            _train(session, monitor, received, task.linger)
    end_others()
    return _report(run, monitor, received)


def _leave_terminal(run: RunDirectory) -> None:
    """Read nothing, and write to the run's file."""
    from engine.session.host.note import OUTPUT

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Path(os.devnull).open("r+b") as nowhere:
        os.dup2(nowhere.fileno(), 0)
        with contextlib.suppress(OSError), output_opened(run.path / OUTPUT) as file:
            os.dup2(file, 1)
            os.dup2(file, 2)
            return
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)


def _is_greeted(link: socket.socket) -> bool:
    """Wait for the app's first frame, after which it greets; False if it has ended instead."""
    poll = select.poll()
    poll.register(link, select.POLLIN)
    poll.poll()
    return bool(link.recv(1, socket.MSG_PEEK))


def _train(
    session: "HostedSession", monitor: "RunMonitor", received: list[int], linger: float
) -> None:
    """Train until a client or a signal ends the run, or until the host was left alone."""
    from gdtui.cli.commands.train.monitor import TICK

    host, alone_since, read_at = session.host, time.monotonic(), 0.0
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
        host.wait(_IDLE_SECONDS if monitor.has_ended else TICK)


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
