"""A run that outlives the app that began it: a fork of the app's process goes on as its host.

The fork has the pipes to the workers, the run's locks and its socket, so that no worker and no
attached screen notices anything. Nothing of the app is used in it.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.notices import NoticeKind
from gdtui.cli.commands.progress_report import ProgressReport
from gdtui.cli.commands.train.hosting import HostedSession, TerminalOutput, end_signals
from gdtui.cli.commands.train.monitor import TICK, RunMonitor
from gdtui.cli.commands.train.output import table
from gdtui.cli.exit_codes import ExitCode, signal_status

_WAITS: Final = {NoticeKind.LOG_BLOCKED: True, NoticeKind.LOG_GONE: True}


def split_host(run: RunDirectory, session: HostedSession, linger: float) -> None:
    """Return in the process of the app; a fork of it trains on, and never returns.

    The caller ends without closing the session, which belongs to the fork. `linger`: seconds for
    which the host waits for commands after the end, while no screen is attached.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _flush()
    if os.fork():
        return
    status: int = ExitCode.FAILED
    try:
        os.setsid()
        output = TerminalOutput(run.path)
        output.detach()
        with Path(os.devnull).open("rb") as nowhere:
            os.dup2(nowhere.fileno(), 0)
        status = _train_to_end(run, session, linger)
    finally:
        _flush()
        os._exit(status)


def _flush() -> None:
    with contextlib.suppress(OSError):  # a terminal that is gone
        sys.stdout.flush()
        sys.stderr.flush()


def _train_to_end(run: RunDirectory, session: HostedSession, linger: float) -> int:
    with end_signals() as received, session:
        monitor = RunMonitor(run, ProgressReport("train", None), _WAITS)
        alone_since: float | None = None
        while not (received or session.host.is_end_asked):
            monitor.look(session)
            session.host.note_end(monitor.has_ended)
            if not monitor.has_ended or session.host.viewers:
                alone_since = None
            elif alone_since is None:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since >= linger:
                break
            session.host.wait(TICK)
    monitor.read()
    monitor.close()
    table(run, monitor.tallies)
    failed = monitor.explain_failures(debug=True)
    if received:
        return signal_status(received[0])
    return ExitCode.FAILED if failed else ExitCode.OK
