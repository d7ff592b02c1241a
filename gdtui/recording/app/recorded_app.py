"""The app as it is recorded: plays keys, and ends a while after everything has happened."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from textual.driver import Driver

from gdtui.app import GdtuiApp
from gdtui.keys.script import play
from gdtui.recording.app.driver import RecordingDriver
from gdtui.recording.app.staging import Staging

if TYPE_CHECKING:
    from gdtui.control.lab import Holder, Lab

_REST_SECONDS: Final = 3.0
"""Seconds for which the last screen is shown."""
_POLL_SECONDS: Final = 0.1

Paint = Callable[[str], None]


class RecordedApp(GdtuiApp):
    """The app without a terminal."""

    HAS_TERMINAL = False

    def __init__(
        self,
        *arguments: Any,
        staging: Staging,
        paint: Paint,
        is_over: Callable[[], bool] | None = None,
        **options: Any,
    ) -> None:
        """`paint` takes what the app writes.

        `is_over`: nothing more will happen without a key; None asks the store.
        """
        look = {"fps": staging.fps, "theme": staging.theme, "keys": (), "make_lab": self._make_lab}
        super().__init__(*arguments, **(options | look))
        self.painted = paint
        """Takes each piece of text for the terminal."""
        self.screen_size = staging.columns, staging.rows
        self._staging = staging
        self._is_over = is_over or (lambda: self.main.viewer.store.is_at_rest)

        self._lab: Lab | None = None

    def _make_lab(self, holder: "Holder") -> "Lab":
        from gdtui.control.lab import Lab

        self._lab = Lab(holder)
        return self._lab

    def is_waiting(self) -> bool:
        """True while another process works for the screen; asks for what it has found."""
        if not self.is_running or not self.screen_stack:
            return False
        if self._lab is not None and self._lab.name:
            self.call_later(self.main.poll_lab)
            return True
        screen = self.screen
        if screen is self.main:
            return False
        from gdtui.screens.landscape import LandscapeScreen

        if isinstance(screen, LandscapeScreen) and screen.is_surveying:
            self.call_later(screen.look)
            return True
        return False

    def get_driver_class(self) -> type[Driver]:
        return RecordingDriver

    def on_mount(self) -> None:
        if self._staging.seconds is not None:
            self.set_timer(self._staging.seconds, self.exit)
        self.run_worker(self._conduct())

    async def _conduct(self) -> None:
        """Play the keys, and end the app unless a key or the time limit does."""
        await play(self, self._staging.keys, lambda: self.main.is_under_way)
        while not self._is_over():
            await asyncio.sleep(_POLL_SECONDS)
        await asyncio.sleep(_REST_SECONDS)
        if self._staging.seconds is None:
            self.exit()
