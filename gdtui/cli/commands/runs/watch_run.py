"""`gdtui watch`: the screen on runs that other processes train, or that have ended."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.log.directory import RunDirectoryError
from gdtui.cli.streams import print_error
from gdtui.keys.script import Press
from gdtui.state.overlay.opening import OpenedRuns, open_runs
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.replay import Replay
from gdtui.state.stored_runs import is_running
from gdtui.terminal.stdio import screen_of_its_own

if TYPE_CHECKING:
    from gdtui.app import GdtuiApp


def open_watched(paths: Sequence[Path], *roots: Path, replay: float | None) -> OpenedRuns:
    """The runs to watch or replay, the newest below these folders if none is named.

    `replay`: how many times as fast. Raises RunDirectoryError if there is no run, or it cannot be
    read, or cannot be replayed yet.
    """
    opened = open_runs(paths, roots)
    if replay is None:
        return opened
    run, *others = opened.shown.runs
    if others:
        raise RunDirectoryError(f"{_several(opened.shown)}: give one, such as {run.path}")
    if is_running(run):
        raise RunDirectoryError(
            f"{run.path} is still training: only a run that has ended can be replayed"
        )
    return OpenedRuns(opened.shown, Replay(run, replay))


def _several(shown: ShownRuns) -> str:
    if shown.home is None:
        return "--replay plays a single run"
    return f"--replay plays a single run, and {shown.home} is a sweep of {len(shown.runs)}"


def run_watch(
    opened: OpenedRuns,
    *,
    theme: str,
    fps: float,
    keys: tuple[Press, ...],
    make_app: "Callable[..., GdtuiApp] | None" = None,
) -> int:
    """Show these runs until the user quits; returns the exit status.

    `make_app`: makes the app if it is more than a GdtuiApp, such as one that is recorded.
    """
    from gdtui.app import GdtuiApp

    make = make_app or GdtuiApp
    app = make(opened.shown, None, fps=fps, theme=theme, source=opened.source, keys=keys)
    with contextlib.ExitStack() as stack:
        stack.enter_context(screen_of_its_own(None))  # an experiment's server writes, too
        stack.callback(app.close_lab)
        app.run()
    if app.crash:
        print_error(app.crash)
    return app.return_code or 0
