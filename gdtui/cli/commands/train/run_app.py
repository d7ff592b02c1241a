"""The app on a new run: imports torch after the first frame.

The process is the host of its run. A key or a signal that ends the app stops the workers and closes
the logs, unless the user detaches; if the screen is lost, the run goes on in a fork of the process.
"""

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from engine.log.directory import RunDirectory
from engine.log.filesystem.safe_open import output_opened
from engine.settings import RunSettings
from gdtui.cli.exit_codes import signal_status
from gdtui.cli.streams import print_error, print_text
from gdtui.keys.script import Press
from gdtui.lesson.course.guide import Guide
from gdtui.state.runs.new_run import NewRun, empty_directory
from gdtui.terminal.stdio import screen_of_its_own

if TYPE_CHECKING:
    from gdtui.app import GdtuiApp
    from gdtui.cli.commands.train.hosting import HostedSession
    from gdtui.control.run_controller import Controls
    from gdtui.screens.leaving import Leaving

LINGER_SECONDS: Final = 600.0
"""The default; see `run_live`."""


def run_live(
    settings: RunSettings,
    place: NewRun,
    *,
    theme: str,
    fps: float,
    keys: tuple[Press, ...],
    guide: Guide | None = None,
    make_app: "Callable[..., GdtuiApp] | None" = None,
    linger: float = LINGER_SECONDS,
) -> int:
    """Train and show until the user leaves; returns the exit status.

    `guide` None: the lesson begins when the user wants it. `make_app` None makes a GdtuiApp.
    `linger`: seconds for which a host left alone waits for commands after the end of the run.
    """
    run = place.begin(settings)
    with contextlib.ExitStack() as training:
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(output_opened(run.server_output))
            stack.enter_context(screen_of_its_own(output))
            gc.disable()  # imports make no garbage; collecting takes a tenth of the first frame
            from gdtui.app import GdtuiApp
            from gdtui.screens.leaving import Leaving

            leaving = Leaving(run.path, is_starter=True, is_scripted=bool(keys or make_app))
            hosting = _Hosting(output, leaving, training)
            guide = guide or Guide()
            guide.open_run = hosting.open_run
            screen: dict[str, Any] = {"fps": fps, "theme": theme, "keys": keys, "guide": guide}
            screen |= {"start": partial(hosting.start, run), "leaving": leaving}
            app: GdtuiApp = (make_app or GdtuiApp)(run, None, **screen)
            hosting.app = app
            stack.callback(app.close_lab)
            app.run()
        status = app.return_code or 0
        if hosting.sessions and not leaving.must_stop(status):
            _leave_running(app, hosting.sessions, status, linger)
    _report(app, hosting.sessions, run)
    return status


class _Hosting:
    """The sessions of the app's process, which is the host of their runs."""

    app: "GdtuiApp"

    def __init__(self, output: int, leaving: "Leaving", stack: contextlib.ExitStack) -> None:
        """`stack` ends the sessions."""
        self._output, self._leaving, self._stack = output, leaving, stack
        self.sessions: list[HostedSession] = []
        """That of the run on screen is the last."""

    def start(self, run: RunDirectory) -> "Controls":
        """Begin training; for the first run after the first frame."""
        from engine.jobs.fork_server import warm_up

        warm_up(self._output)  # first, since importing torch takes longest
        if not gc.isenabled():  # frozen later, a run's closed screen would never be freed
            gc.freeze()
            gc.enable()
        import asyncio

        from gdtui.cli.commands.train.hosting import HostedSession

        session = self._stack.enter_context(HostedSession(run))
        self.sessions.append(session)
        self._leaving.run = run.path
        session.start()
        if (waking := session.host.fileno()) is not None:
            asyncio.get_running_loop().add_reader(waking, self._answer, session)
        return session

    def open_run(self, settings: RunSettings) -> "tuple[RunDirectory, Callable[[], Controls]]":
        """Create another run in the app, and return it with the function that starts it."""
        run = NewRun(empty_directory()).begin(settings)
        return run, partial(self.start, run)

    def _answer(self, session: "HostedSession") -> None:
        """Answer clients; end the app if one of them has ended the run."""
        session.host.wait(0)
        if session.host.is_end_asked:
            self._leaving.stop(self.app, signal_status(signal.SIGTERM))


def _leave_running(
    app: "GdtuiApp", sessions: "list[HostedSession]", status: int, linger: float
) -> NoReturn:
    """Leave the run on screen to a host, say how to come back, and end this process."""
    from gdtui.cli.commands.control.reaching import farewell
    from gdtui.cli.commands.train.outliving import split_host

    *others, session = sessions
    for other in others:
        other.close()
    split_host(session.run, session, linger)
    with contextlib.suppress(OSError):  # the terminal is gone
        _report(app, [session], session.run)
        print_text(farewell(session.run))
        sys.stdout.flush()
    os._exit(status)  # what is cleaned up at a regular exit belongs to the host now


def _report(app: "GdtuiApp", sessions: "list[HostedSession]", run: RunDirectory) -> None:
    """Report missing files of the run and an internal error, now that the terminal is restored."""
    from gdtui.app import INTERNAL_ERROR

    for session in sessions:
        for text in session.files.gone:
            print_error(f"gdtui: {text}; what was trained after that is not kept")
    if app.return_code == 1:
        print_error(app.crash or f"{INTERNAL_ERROR}; see {run.server_output}")
