"""The app in a real terminal, with a recorder beside it."""

from typing import TYPE_CHECKING, Any

from textual.driver import Driver
from textual.events import Resize

from gdtui.app import GdtuiApp
from gdtui.recording.live.recorder import ScreenRecorder
from gdtui.terminal.driver import GatedDriver

if TYPE_CHECKING:
    from textual.app import App


class CopyingDriver(GatedDriver):
    """A driver that also hands what it writes to a recorder."""

    def __init__(self, app: "App[Any]", **options: Any) -> None:
        super().__init__(app, **options)
        assert isinstance(app, WatchedApp)
        self._recorder = app.recorder

    def write(self, data: str) -> None:
        super().write(data)
        self._recorder.painted(data)


class WatchedApp(GdtuiApp):
    """The app that is recorded while it is used."""

    def __init__(self, *arguments: Any, recorder: ScreenRecorder, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.recorder = recorder

    def get_driver_class(self) -> type[Driver]:
        usual = super().get_driver_class()
        return CopyingDriver if usual is GatedDriver else usual

    def on_resize(self, event: Resize) -> None:
        """Before the app paints in this size."""
        self.recorder.resized(event.size.width, event.size.height, self._note)

    def _note(self, text: str) -> None:
        self.call_from_thread(self.show_notes, [text], "error")
