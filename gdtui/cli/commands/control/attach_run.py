"""The screen on a run of a host, from the connection to the line that says how to come back."""

import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.log.directory import RunDirectory
from engine.session.host.client import HostLink
from engine.session.host.note import read_notes
from engine.session.host.remote_session import RemoteSession
from gdtui.cli.commands.control.reaching import (
    UnreachableError,
    farewell,
    lend_terminal,
    reach,
    short_name,
)
from gdtui.cli.commands.control.stopping import end_host
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import print_error, print_text
from gdtui.keys.script import Press
from gdtui.state.stored_runs import run_folders
from gdtui.terminal.stdio import modes_of, screen_of_its_own

if TYPE_CHECKING:
    from gdtui.control.run_controller import Controls
    from gdtui.state.record_source import RecordSource


def newest_hosted(*roots: Path) -> Path | None:
    """The run below these folders whose host on this machine began last; None without one."""
    found = [
        (note.began, path)
        for root in roots
        for path in run_folders(root)
        for note in read_notes(path)[:1]
        if note.is_here and Path(note.socket).exists()
    ]
    return max(found)[1] if found else None


def attach_to(run: RunDirectory, *, theme: str, fps: float, keys: tuple[Press, ...]) -> int:
    """Show the run until the user leaves; returns the exit status."""
    try:
        link = reach(run.path, f"gdtui attach {short_name(run.path)}", is_viewer=True)
    except UnreachableError as error:
        print_error(f"gdtui attach: {error}")
        return ExitCode.FAILED

    from gdtui.app import GdtuiApp
    from gdtui.screens.leaving import Leaving

    leaving = Leaving(run.path, is_starter=False, is_scripted=bool(keys))
    app = GdtuiApp(
        run,
        None,
        start=partial(_start, run, link, modes_of(0)),
        fps=fps,
        theme=theme,
        keys=keys,
        leaving=leaving,
    )
    with contextlib.ExitStack() as stack:
        stack.callback(link.close)
        stack.enter_context(screen_of_its_own(None))
        stack.callback(app.close_lab)
        app.run()
    if app.crash:
        print_error(app.crash)
    status = app.return_code or 0
    if leaving.must_stop(status):
        return _stop(run)
    print_text(f"{run.path} is no longer trained" if link.lost else farewell(run))
    return status


def _start(
    run: RunDirectory, link: HostLink, modes: list[Any] | None
) -> "tuple[Controls, RecordSource]":
    lend_terminal(link, modes)
    from gdtui.state.overlay.watch_source import AttachedSource  # imports numpy

    return RemoteSession(link), AttachedSource(run)


def _stop(run: RunDirectory) -> int:
    try:
        end_host(reach(run.path, f"gdtui stop {short_name(run.path)}"))
    except UnreachableError as error:
        if not error.has_ended:
            print_error(f"gdtui attach: {error}")
            return ExitCode.FAILED
    print_text(f"stopped {run.path}: gdtui watch {short_name(run.path)}")
    return ExitCode.OK
