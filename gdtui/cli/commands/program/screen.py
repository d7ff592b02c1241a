"""A program in a terminal of its own, under a host, with the screen on its run."""

import atexit
import contextlib
import gc
import os
import signal
import socket
import struct
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.file import LogError
from engine.programs.process import ChildProgram, ProgramError, TerminalSize, terminal_size
from gdtui.cli.commands.program.loop import FORWARDED, HostedProgram, ProgramLoop, signals_held
from gdtui.cli.commands.program.plain import record
from gdtui.cli.commands.train.hosting import RunHost
from gdtui.cli.exit_codes import ExitCode, signal_status
from gdtui.cli.streams import print_error, print_text
from gdtui.state.runs.removal import discard_new

if TYPE_CHECKING:
    from gdtui.cli.commands.program.leaving import ProgramLeaving
    from gdtui.cli.commands.program.plain import PlainOptions
    from gdtui.control.controls import Controls
    from gdtui.state.record_source import RecordSource

_RESIZE_TICKS: Final = 5
_DEFAULT_SIZE: Final = (24, 80)
_GREETING_SECONDS: Final = 10.0
"""Seconds within which the screen of this terminal connects to its host."""
_STATUS: Final = struct.Struct(">H")
_MOST_TROUBLE: Final = 1 << 12


def run_on_screen(run: RunDirectory, options: "PlainOptions", **screen: Any) -> int:
    """Run the program under a host and show it until the user leaves; returns the exit status."""
    link, pid, report = _fork(run, options)
    with os.fdopen(report, "rb") as file:
        trouble = file.read(_MOST_TROUBLE)
    if trouble:
        os.waitpid(pid, 0)
        discard_new(run)
        print_error(f"gdtui run: {trouble[_STATUS.size :].decode(errors='replace')}")
        return int(_STATUS.unpack_from(trouble)[0])
    run.custody.hand_on()
    return _show(run, link, pid, **screen)


# --- The host -------------------------------------------------------------------------------------


def _fork(run: RunDirectory, options: "PlainOptions") -> tuple[socket.socket, int, int]:
    """Start the host; returns the connection to it, its process, and where it reports trouble."""
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        theirs.close()
        os.close(writer)
        return ours, pid, reader
    status: int = ExitCode.FAILED
    try:
        atexit._clear()
        gc.freeze()
        ours.close()
        os.close(reader)
        status = _host(run, options, theirs, writer)
    except BaseException:  # it must not reach the parent's code
        with contextlib.suppress(OSError):
            traceback.print_exc()
    finally:
        os._exit(status)


def _host(run: RunDirectory, options: "PlainOptions", starter: socket.socket, report: int) -> int:
    """Run the program, and wait until no screen is connected; returns the exit status."""
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    size = terminal_size(1) or _DEFAULT_SIZE
    with Path(os.devnull).open("r+b") as nowhere:
        for number in (0, 1, 2):
            os.dup2(nowhere.fileno(), number)
    with signals_held():
        try:
            program = ChildProgram(options.program, size=size, unblocked={*FORWARDED})
        except ProgramError as error:
            return _refuse(report, error.status, str(error))
        try:
            recording = record(run, options)
        except (RunDirectoryError, LogError, OSError) as error:
            program.kill()
            return _refuse(report, ExitCode.USAGE_ERROR, str(error))
        os.close(report)
        starter.setblocking(False)
        host = RunHost(HostedProgram(run, program, recording), starter)
        window = _Window(size, host)
        status = ProgramLoop(program, recording, host).run(lambda: window.follow(program))
        host.note_end(True)
        _wait_for_viewers(host, window.was_watched)
        host.close()
    return status if status >= 0 else signal_status(-status)


def _refuse(report: int, status: int, text: str) -> int:
    os.write(report, _STATUS.pack(status) + text.encode()[: _MOST_TROUBLE - _STATUS.size])
    return status


def _wait_for_viewers(host: RunHost, was_watched: bool) -> None:
    """Wait until no screen is connected; the first one comes even if the program failed at once."""
    deadline = time.monotonic() + _GREETING_SECONDS
    while not (host.viewers or was_watched) and time.monotonic() < deadline:
        host.wait(0.1)
    while host.viewers and not host.is_end_asked:
        host.wait(0.5)


class _Window:
    """The size of the program's terminal: the largest that all attached screens can show."""

    def __init__(self, size: TerminalSize, host: RunHost) -> None:
        self._size, self._host = size, host
        self._ticks = 0
        self.was_watched = False
        """True once a screen has been connected."""

    def follow(self, program: ChildProgram) -> None:
        """Take over a new size now and then; while no screen is attached, keep the last one."""
        self._ticks += 1
        self.was_watched |= self._host.viewers > 0
        if self._ticks % _RESIZE_TICKS:
            return
        size = self._host.screen_size
        if size is not None and size != self._size:
            self._size = size
            program.resize(size)


# --- The screen -----------------------------------------------------------------------------------


def _show(run: RunDirectory, link: socket.socket, pid: int, **screen: Any) -> int:
    gc.disable()  # imports make no garbage; collecting takes a tenth of the first frame
    from engine.session.host.client import Channel
    from gdtui import __version__
    from gdtui.app import GdtuiApp
    from gdtui.cli.commands.program.leaving import ProgramLeaving
    from gdtui.cli.hosts.reaching import lend_terminal
    from gdtui.terminal.stdio import modes_of, screen_of_its_own

    modes = modes_of(0)
    channel = Channel(link, pid, __version__)
    leaving = ProgramLeaving(run.path, pid, is_scripted=bool(screen["keys"]))

    def start() -> "tuple[Controls, RecordSource]":
        gc.freeze()
        gc.enable()
        lend_terminal(channel, modes)
        from engine.session.host.remote_session import RemoteSession
        from gdtui.state.overlay.watch_source import ProgramSource

        names = [variant.name for variant in run.info.settings.variants]
        return RemoteSession(channel, names), ProgramSource(run)

    app = GdtuiApp(run, None, start=start, leaving=leaving, **screen)
    with contextlib.closing(channel):
        with contextlib.ExitStack() as stack:
            stack.enter_context(screen_of_its_own(None))
            stack.callback(app.close_lab)
            app.run()
        if app.crash:
            print_error(app.crash)
        return _leave(run, channel, leaving, app.return_code or 0)


def _leave(run: RunDirectory, channel: Any, leaving: "ProgramLeaving", status: int) -> int:
    """End the program if that was chosen; returns its exit status, or 0 if it goes on."""
    from gdtui.cli.hosts.program_end import force_used
    from gdtui.cli.hosts.reaching import UnreachableError, lost, short_name
    from gdtui.cli.hosts.stopping import end_host

    if trouble := lost(run.path, channel):
        print_error(f"gdtui run: {trouble}")
        return ExitCode.FAILED
    name = short_name(run.path)
    if leaving.has_ended:
        channel.close()
    elif leaving.must_stop(status) and not channel.lost:
        try:
            end_host(channel)
        except UnreachableError as error:
            print_error(f"gdtui run: {error}")
            return ExitCode.FAILED
    elif not channel.lost:
        print_text(f"{run.path} runs on: gdtui attach {name}")
        return ExitCode.OK
    _, ended = os.waitpid(channel.pid, 0)
    if force := force_used(run.path):
        print_text(force)
    print_text(f"recorded in {run.path}: gdtui watch {name}")
    return os.waitstatus_to_exitcode(ended)
