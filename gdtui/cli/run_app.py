"""The app on a new run: imports torch after the first frame, and always ends its processes.

After the first frame, a key, a signal or an error that ends the app stops the workers, closes the
logs and restores the terminal.
"""

import contextlib
import gc
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from engine.log.directory import RunDirectory
from engine.log.filesystem.safe_open import output_opened
from engine.settings import RunSettings
from gdtui.cli.streams import print_error
from gdtui.keys.script import Press
from gdtui.lesson.course.guide import Guide
from gdtui.state.runs.new_run import NewRun, empty_directory
from gdtui.terminal.stdio import screen_of_its_own

if TYPE_CHECKING:
    from engine.session import Session
    from gdtui.app import GdtuiApp
    from gdtui.control.run_controller import Controls


def run_live(
    settings: RunSettings,
    place: NewRun,
    *,
    theme: str,
    fps: float,
    keys: tuple[Press, ...],
    guide: Guide | None = None,
    make_app: "Callable[..., GdtuiApp] | None" = None,
) -> int:
    """Train and show until the user quits; returns the exit status.

    `guide`: the lesson to show with it; None: it begins when the user wants it. `make_app`: makes
    the app if it is more than a GdtuiApp, such as one that is recorded.
    """
    run = place.begin(settings)
    sessions: list[Session] = []
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(output_opened(run.server_output))
        stack.enter_context(screen_of_its_own(output))
        gc.disable()  # imports make no garbage; collecting is a tenth of the time to a first frame
        start = partial(_start, run, output, stack, sessions)

        guide = guide or Guide()
        guide.open_run = partial(_open_run, output, stack, sessions)

        from gdtui.app import GdtuiApp

        make = make_app or GdtuiApp
        app = make(run, None, start=start, fps=fps, theme=theme, keys=keys, guide=guide)
        stack.callback(app.close_lab)
        app.run()
    _report(app, sessions, run)
    return app.return_code or 0


def _start(
    run: RunDirectory, output: int, stack: contextlib.ExitStack, sessions: "list[Session]"
) -> "Controls":
    """Begin training, after the first frame; the stack ends it."""
    from engine.jobs.fork_server import warm_up

    warm_up(output)  # first, since importing torch takes longest
    gc.freeze()
    gc.enable()
    from engine.session import Session

    session = stack.enter_context(Session(run))
    sessions.append(session)
    session.start()
    return session


def _open_run(
    output: int,
    stack: contextlib.ExitStack,
    sessions: "list[Session]",
    settings: RunSettings,
) -> "tuple[RunDirectory, Callable[[], Controls]]":
    """Create another run in the app, and return it with the function that starts its training."""
    run = NewRun(empty_directory()).begin(settings)
    return run, partial(_start, run, output, stack, sessions)


def _report(app: "GdtuiApp", sessions: "list[Session]", run: RunDirectory) -> None:
    """Report missing files of the run and an internal error, now that the terminal is restored."""
    from gdtui.app import INTERNAL_ERROR

    for each in sessions:
        for text in each.files.gone:
            print_error(f"gdtui: {text}; what was trained after that is not kept")
    if app.return_code == 1:
        print_error(app.crash or f"{INTERNAL_ERROR}; see {run.server_output}")
