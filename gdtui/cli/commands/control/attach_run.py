"""The screen on a run of a host, from the connection to the line that says how to come back."""

import contextlib
import shlex
from pathlib import Path

from engine.log.directory import RunDirectory
from engine.log.filesystem.places import known_roots
from engine.session.host.client import HostLink
from engine.session.host.note import read_notes
from engine.session.host.remote_session import RemoteSession
from gdtui.cli.commands.control.reaching import UnreachableError, reach
from gdtui.cli.commands.control.stopping import end_host
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import print_error, print_text
from gdtui.keys.script import Press
from gdtui.state.overlay.watch_source import AttachedSource
from gdtui.state.stored_runs import run_folders
from gdtui.terminal.stdio import screen_of_its_own


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
        link = reach(run, f"gdtui attach {short_name(run.path)}", is_viewer=True)
    except UnreachableError as error:
        print_error(f"gdtui attach: {error}")
        return ExitCode.FAILED

    from gdtui.cli.commands.control.attached_app import AttachedApp

    source = AttachedSource(run)
    app = AttachedApp(
        run,
        None,
        start=lambda: RemoteSession(link),
        source=source,
        fps=fps,
        theme=theme,
        keys=keys,
    )
    with contextlib.ExitStack() as stack:
        stack.callback(link.close)
        stack.enter_context(screen_of_its_own(None))
        stack.callback(app.close_lab)
        app.run()
    if app.crash:
        print_error(app.crash)
    if app.must_stop:
        return _stop(run)
    print_text(farewell(run, link))
    return app.return_code or 0


def farewell(run: RunDirectory, link: HostLink) -> str:
    """The line that says where the run is, and how to come back."""
    name = short_name(run.path)
    if link.lost:
        return f"{run.path} is no longer trained: gdtui watch {name}"
    return f"{run.path} trains on: gdtui attach {name}"


def _stop(run: RunDirectory) -> int:
    try:
        end_host(reach(run, f"gdtui stop {short_name(run.path)}"))
    except UnreachableError as error:
        if not error.has_ended:
            print_error(f"gdtui attach: {error}")
            return ExitCode.FAILED
    print_text(f"stopped {run.path}: gdtui watch {short_name(run.path)}")
    return ExitCode.OK


def short_name(path: Path) -> str:
    """The run as it is typed: its name in a place where runs are kept, else its path."""
    return shlex.quote(path.name if path.parent in known_roots() else str(path))
