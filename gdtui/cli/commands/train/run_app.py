"""The app on a new run, which a host process trains; torch is imported after the first frame.

The app is the first client of the host. A key or a signal that ends the app ends the host as well,
unless the user detaches; if the screen is lost, the host goes on.
"""

import contextlib
import gc
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from engine.log.directory import RunDirectory
from engine.log.filesystem.safe_open import output_opened
from engine.settings import RunSettings
from gdtui import __version__
from gdtui.cli.commands.train.host.messages import HostTask
from gdtui.cli.commands.train.host.process import HostProcess
from gdtui.cli.exit_codes import ExitCode, signal_status
from gdtui.cli.streams import print_error, print_text
from gdtui.keys.script import Press
from gdtui.lesson.course.guide import Guide
from gdtui.state.runs.new_run import NewRun, empty_directory
from gdtui.terminal.stdio import modes_of, screen_of_its_own

if TYPE_CHECKING:
    from engine.session.host.client import Channel
    from engine.session.host.remote_session import RemoteSession
    from gdtui.app import GdtuiApp
    from gdtui.control.controls import Controls
    from gdtui.screens.leaving import Leaving
    from gdtui.state.record_source import RecordSource

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
    host: HostProcess | None = None,
) -> int:
    """Train and show until the user leaves; returns the exit status.

    `guide` None: the lesson begins when the user wants it. `make_app` None makes a GdtuiApp.
    `linger`: seconds for which a host left alone waits for commands after the end of the run.
    `host`: the process that has loaded the problem, if one has.
    """
    hosting, host = _Hosting(linger), host or HostProcess()  # a fork: nothing is open yet
    with contextlib.closing(host), contextlib.closing(hosting):
        run = place.begin(settings)
        hosting.begin(run, host)
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(output_opened(run.server_output))
            stack.enter_context(screen_of_its_own(output))
            gc.disable()  # imports make no garbage; collecting takes a tenth of the first frame
            from gdtui.app import GdtuiApp
            from gdtui.screens.leaving import Leaving

            leaving = Leaving(run.path, is_starter=True, is_scripted=bool(keys or make_app))
            (guide := guide or Guide()).open_run = hosting.open_run
            screen: dict[str, Any] = {"fps": fps, "theme": theme, "keys": keys, "guide": guide}
            screen |= {"start": partial(hosting.attach, run), "leaving": leaving}
            hosting.leaving, hosting.modes = leaving, modes_of(0)
            hosting.app = app = (make_app or GdtuiApp)(run, None, **screen)
            stack.callback(app.close_lab)
            app.run()
        must_stop = leaving.must_stop(app.return_code or 0)
        hosting.leave(must_stop)
    return _report(app, hosting, run, must_stop)


class _Hosting:
    """The hosts of the runs that the app has started."""

    app: "GdtuiApp"
    leaving: "Leaving"

    def __init__(self, linger: float) -> None:
        self._linger = linger
        self._hosts: dict[RunDirectory, HostProcess] = {}
        self._channels: list[Channel] = []
        self._sessions: list[RemoteSession] = []
        self.modes: list[Any] | None = None
        """The terminal's modes before the app; None without a terminal."""
        self.trouble = ""
        """Why the last host could not be ended."""

    def begin(self, run: RunDirectory, host: HostProcess) -> None:
        """Hand a run on to its host, which trains once the app is attached."""
        host.begin(run, HostTask(self._linger))
        self._hosts[run] = host

    def attach(self, run: RunDirectory) -> "tuple[Controls, RecordSource]":
        """Begin training; for the first run after the first frame."""
        from engine.session.host.client import Channel
        from engine.session.host.remote_session import RemoteSession
        from gdtui.cli.hosts.reaching import lend_terminal

        host = self._hosts.pop(run)
        channel = Channel(host.link, host.pid, __version__)
        lend_terminal(channel, self.modes)
        if not gc.isenabled():  # frozen later, a run's closed screen would never be freed
            gc.freeze()
            gc.enable()
        from gdtui.state.overlay.watch_source import HostedSource  # imports numpy

        names = [variant.name for variant in run.info.settings.variants]
        session = RemoteSession(channel, names, self._note_stop)
        self._channels.append(channel)
        self._sessions.append(session)
        self.leaving.run = run.path
        return session, HostedSource(run)

    def open_run(
        self, settings: RunSettings
    ) -> "tuple[RunDirectory, Callable[[], tuple[Controls, RecordSource]]]":
        """Create another run in the app, and return it with the function that starts it."""
        run = NewRun(empty_directory()).begin(settings)
        self.begin(run, HostProcess())
        return run, partial(self.attach, run)

    def _note_stop(self) -> None:
        """End the app, since another client has ended the run."""
        self.leaving.stop(self.app, signal_status(signal.SIGTERM))

    @property
    def is_left_running(self) -> bool:
        """True if the run on screen goes on without the app, or waits for a command."""
        return bool(self._channels) and not self._channels[-1].lost

    def leave(self, must_stop: bool) -> None:
        """Disconnect from the run on screen, or end it; end the others."""
        from gdtui.cli.hosts.reaching import UnreachableError, lost
        from gdtui.cli.hosts.stopping import end_host

        for channel in self._channels[-1:]:
            self.trouble = lost(self.leaving.run, channel)
        last = len(self._channels) - 1
        for number, channel in enumerate(self._channels):
            if channel.lost or (number == last and not must_stop):
                continue
            try:
                end_host(channel)
            except UnreachableError as error:
                self.trouble = "" if channel.lost else str(error)

    @property
    def gone(self) -> list[str]:
        """Messages about missing files of the runs."""
        return [text for session in self._sessions for text in session.gone]

    def close(self) -> None:
        """Disconnect from all hosts. One that was not attached to has nothing to train."""
        for channel in self._channels:
            channel.close()
        for host in self._hosts.values():
            host.close()


def _report(app: "GdtuiApp", hosting: _Hosting, run: RunDirectory, must_stop: bool) -> int:
    """Report what the user must know, now that the terminal is restored; the exit status."""
    from gdtui.app import INTERNAL_ERROR
    from gdtui.cli.hosts.reaching import farewell

    status = app.return_code or 0
    with contextlib.suppress(OSError):  # the terminal is gone
        for text in hosting.gone:
            print_error(f"gdtui: {text}; what was trained after that is not kept")
        if hosting.trouble:
            print_error(f"gdtui: {hosting.trouble}")
        if status == 1:
            print_error(app.crash or f"{INTERNAL_ERROR}; see {run.server_output}")
        if hosting.is_left_running and not must_stop:
            print_text(farewell(run, is_training=app.main.is_training))
            sys.stdout.flush()
    return ExitCode.FAILED if hosting.trouble and not status else status
