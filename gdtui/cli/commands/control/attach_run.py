"""The screen on a run of a host, from the connection to the line that says how to come back."""

import contextlib
import gc
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.directory import RunDirectory
from engine.log.notices import Notice, NoticeKind
from engine.programs import PROGRAM
from engine.session.host.client import Channel
from engine.session.host.note import read_notes
from engine.session.host.remote_session import RemoteSession
from engine.session.host.several.links import HostLinks
from engine.session.host.several.session import JointSession
from gdtui import __version__
from gdtui.cli.commands.control.reopening import reopen
from gdtui.cli.commands.train.host.messages import HostTask
from gdtui.cli.commands.train.host.process import HostProcess
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.hosts.program_end import force_used, program_end
from gdtui.cli.hosts.reaching import (
    UnreachableError,
    farewell,
    lend_terminal,
    lost,
    reach,
    reach_all,
    short_name,
)
from gdtui.cli.hosts.stopping import end_host, end_hosts
from gdtui.cli.streams import print_error, print_text
from gdtui.keys.script import Press
from gdtui.state.stored_runs import run_folders
from gdtui.terminal.stdio import modes_of, screen_of_its_own

if TYPE_CHECKING:
    from engine.session.past import ResumedRun  # imports numpy
    from gdtui.app import GdtuiApp
    from gdtui.control.controls import Controls
    from gdtui.screens.leaving import Leaving
    from gdtui.state.record_source import RecordSource

_ENDED: Final = (
    Notice(
        kind=NoticeKind.BEGUN_AGAIN,
        variant=None,
        text="this run has ended: c goes on with it, r begins again from the first weights",
    ),
)


def newest_hosted(*roots: Path) -> Path | None:
    """The run below these folders whose host on this machine began last; None without one."""
    found = [
        (note.began, path)
        for root in roots
        for path in run_folders(root)
        for note in read_notes(path)
        if note.is_here and Path(note.socket).exists()
    ]
    return max(found)[1] if found else None


def attach_to(
    run: RunDirectory, *, theme: str, fps: float, keys: tuple[Press, ...], linger: float
) -> int:
    """Show the run until the user leaves; returns the exit status.

    `linger`: see HostTask; for a run that has ended, and gets a host again.
    """
    try:
        link, is_reopened = _connect(run, linger)
    except UnreachableError as error:
        print_error(f"gdtui attach: {error}")
        return ExitCode.FAILED

    notices = _ENDED if is_reopened else ()
    screen: dict[str, Any] = {"theme": theme, "fps": fps, "keys": keys}
    return _show(run, link, is_starter=is_reopened, notices=notices, **screen)


def resume_on_screen(
    run: "ResumedRun",
    *,
    theme: str,
    fps: float,
    keys: tuple[Press, ...],
    linger: float,
    host: HostProcess | None = None,
) -> int:
    """Go on with a run in a host, and show it until the user leaves; returns the exit status.

    `host`: the process that has loaded the problem, if one has.
    """
    host = host or HostProcess()
    host.begin(run, HostTask(linger, resumes_to=run.past.epochs))
    link = Channel(host.link, host.pid, __version__)
    return _show(run, link, is_starter=True, notices=(), theme=theme, fps=fps, keys=keys)


def _show(
    run: RunDirectory,
    link: Channel | HostLinks,
    *,
    is_starter: bool,
    notices: Iterable[Notice],
    theme: str,
    fps: float,
    keys: tuple[Press, ...],
) -> int:
    gc.disable()  # imports make no garbage; collecting takes a tenth of the first frame
    from gdtui.app import GdtuiApp
    from gdtui.screens.leaving import Leaving

    leaving = Leaving(run.path, is_starter=is_starter, is_scripted=bool(keys))
    app = GdtuiApp(
        run,
        None,
        start=partial(_start, run, link, modes_of(0), notices),
        fps=fps,
        theme=theme,
        keys=keys,
        leaving=leaving,
    )
    with contextlib.closing(link):
        with contextlib.ExitStack() as stack:
            stack.enter_context(screen_of_its_own(None))
            stack.callback(app.close_lab)
            app.run()
        if app.crash:
            print_error(app.crash)
        return _leave(run, link, app, leaving)


def _leave(
    run: RunDirectory, link: Channel | HostLinks, app: "GdtuiApp", leaving: "Leaving"
) -> int:
    """End the run if that was chosen; say what became of it, and return the exit status."""
    status = app.return_code or 0
    if trouble := lost(run.path, link):
        print_error(f"gdtui attach: {trouble}")
        return ExitCode.FAILED
    if link.lost:
        print_text(f"{run.path} is no longer trained")
    elif leaving.must_stop(status):
        return _stop(run, link, status)
    elif end := program_end(run.path):
        print_text(f"{end}; recorded in {run.path}: gdtui watch {short_name(run.path)}")
    else:
        print_text(farewell(run, is_training=app.main.is_training))
    return status


def _connect(run: RunDirectory, linger: float) -> tuple[Channel | HostLinks, bool]:
    """The connection to the run's host, and whether that was started for it; UnreachableError."""
    settings = run.info.settings
    connect = reach_all if settings.is_script and settings.device != PROGRAM else reach
    try:
        return connect(run.path, f"gdtui attach {short_name(run.path)}", is_viewer=True), False
    except UnreachableError as error:
        if not error.has_ended:
            raise
    return reopen(run, linger), True


def _start(
    run: RunDirectory,
    link: Channel | HostLinks,
    modes: list[Any] | None,
    notices: Iterable[Notice],
) -> "tuple[Controls, RecordSource]":
    gc.freeze()
    gc.enable()
    lend_terminal(link, modes)
    from gdtui.state.overlay.watch_source import AttachedSource, ProgramSource  # imports numpy

    if isinstance(link, HostLinks):
        return JointSession(link, notices), AttachedSource(run)
    names = [variant.name for variant in run.info.settings.variants]
    source = ProgramSource if run.info.settings.device == PROGRAM else AttachedSource
    return RemoteSession(link, names, notices=notices), source(run)


def _stop(run: RunDirectory, link: Channel | HostLinks, status: int) -> int:
    try:
        if isinstance(link, HostLinks):
            end_hosts(link)
        else:
            end_host(link)
    except UnreachableError as error:
        print_error(f"gdtui attach: {error}")
        return ExitCode.FAILED
    if force := force_used(run.path):
        print_text(force)
    print_text(f"stopped {run.path}: gdtui watch {short_name(run.path)}")
    return status
