"""The ways out of the screen on a program that this terminal has started."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import App

from gdtui.cli.exit_codes import ExitCode
from gdtui.screens.leaving import Leaving

if TYPE_CHECKING:
    from gdtui.app import GdtuiApp

_LOOK_SECONDS: Final = 0.1


class ProgramLeaving(Leaving):
    """As for a run that is trained here, but Ctrl+C is the program's."""

    def __init__(self, run: Path, host: int, *, is_scripted: bool) -> None:
        """`host`: the process that hosts the program."""
        super().__init__(run, is_starter=True, is_scripted=is_scripted)
        self._host = host
        self._is_interrupted = False
        self.has_ended = False
        """True if the program had ended when the user left."""

    def leave(self, app: App[None], status: int, is_training: bool, detaches: bool = False) -> None:
        """Pass Ctrl+C on while the program runs; the screen goes once the program has ended."""
        self.has_ended = not is_training
        if status == ExitCode.INTERRUPTED and is_training and not detaches:
            self._interrupt(app)
        else:
            super().leave(app, status, is_training, detaches)

    def _interrupt(self, app: App[None]) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._host, signal.SIGINT)
        if not self._is_interrupted:
            self._is_interrupted = True
            app.set_interval(_LOOK_SECONDS, lambda: self._look(app))

    def _look(self, app: "App[None]") -> None:
        shown: GdtuiApp = app  # type: ignore[assignment]
        if not shown.main.is_training:
            self.has_ended = True
            app.exit(return_code=ExitCode.OK)
