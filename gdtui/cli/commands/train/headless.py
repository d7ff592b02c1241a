"""Training without a screen: starts a run, waits for its end and reports its results.

Reads the run directory as the app does. The process is the host of its run: others command it
through its socket. Prints the results through gdtui/cli/commands/train/output.py.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from click import UsageError

from engine.jobs.fork_server import warm_up
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.filesystem.safe_open import output_opened
from engine.log.json_report import report
from engine.log.notices import NoticeKind
from gdtui.cli.commands.progress_report import progress_report
from gdtui.cli.commands.train.hosting import HostedSession, TerminalOutput, end_signals
from gdtui.cli.commands.train.monitor import TICK, RunMonitor, say
from gdtui.cli.commands.train.output import table
from gdtui.cli.exit_codes import ExitCode, signal_status
from gdtui.cli.streams import print_json
from gdtui.state.runs.removal import discard_new

Announce = Callable[[Path], bool]
"""Takes the run directory of a detached run once all variants train; False ends the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """The options of `gdtui train` that do not describe the run."""

    as_json: bool
    is_quiet: bool = False
    debug: bool = False
    """Show the tracebacks of failures."""
    waits_for_space: bool = True
    """Wait, rather than stop, when the disk is full."""
    waits_for_files: bool = True
    """Wait, rather than stop, when the run's directory or a log is gone."""
    announce: Announce | None = None
    """Only for a detached run, whose output goes to a file from then on."""


def train_to_end(run: RunDirectory, options: TrainOptions) -> int:
    """Train the run that was just created to its end; returns the exit status.

    Raises UsageError for settings that only a worker could judge.
    """
    with end_signals() as received:
        output = TerminalOutput(run.path)
        monitor = _train(run, options, output, received)
        output.check()
        monitor.read()
        monitor.close()
        if (wrong := monitor.usage_error) is not None:
            discard_new(run)
            raise UsageError(wrong)
        if monitor.is_empty:
            discard_new(run)
            say("nothing was trained; the run was removed. Choose another place with --run-dir DIR")
            return ExitCode.FAILED
        if options.as_json:
            print_json(report(run, monitor.tallies))
        else:
            table(run, monitor.tallies)
        failed = monitor.explain_failures(debug=options.debug)
        monitor.note_growth()
    if received:
        return signal_status(received[0])
    return ExitCode.FAILED if failed else ExitCode.OK


def _train(
    run: RunDirectory, options: TrainOptions, output: TerminalOutput, received: list[int]
) -> RunMonitor:
    """Train until all variants have ended, a signal is received, or a client ends the run."""
    waits = {
        NoticeKind.LOG_BLOCKED: options.waits_for_space,
        NoticeKind.LOG_GONE: options.waits_for_files,
    }
    announce = options.announce
    _start_server(run)
    with (
        progress_report("train", is_quiet=options.is_quiet) as shown,
        HostedSession(run) as session,
    ):
        monitor, host = RunMonitor(run, shown, waits), session.host
        session.start()
        if host.trouble:
            say(host.trouble)
        while not (received or host.is_end_asked or monitor.is_over):
            monitor.look(session)
            is_valid = monitor.is_under_way and monitor.usage_error is None
            if announce is not None and is_valid:
                shown.erase()
                _detach(run, announce, output, received)
                announce = None
            if not monitor.is_over:
                host.wait(TICK)
        if host.is_end_asked:
            received.append(signal.SIGTERM)
        monitor.linger(session, received)
    return monitor


def _detach(
    run: RunDirectory, announce: Announce, output: TerminalOutput, received: list[int]
) -> None:
    """Report the run, and leave the terminal; end it if the command that started it is gone."""
    if announce(run.path):
        output.detach()
    else:
        received.append(signal.SIGHUP)


def _start_server(run: RunDirectory) -> None:
    """Start importing torch in the process that starts workers."""
    path = run.server_output
    try:
        with output_opened(path) as output:
            warm_up(output)
    except OSError as error:
        raise RunDirectoryError(cannot_write(error, path), path) from None
