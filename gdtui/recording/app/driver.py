"""A Textual driver that hands what the app paints to a recording; it reads no input."""

from typing import TYPE_CHECKING, Any, Protocol

from textual.drivers.headless_driver import HeadlessDriver

if TYPE_CHECKING:
    from textual.app import App


class Recorded(Protocol):
    """An app that takes its own output, and sets the size of its screen."""

    screen_size: tuple[int, int]
    """Columns and rows."""

    def painted(self, text: str) -> None:
        """Called with each piece of text for the terminal."""


class RecordingDriver(HeadlessDriver):
    """The driver of an app that is `Recorded`."""

    def __init__(self, app: "App[Any]", **options: Any) -> None:
        super().__init__(app, **options)
        self._recorded: Recorded = app  # type: ignore[assignment]

    @property
    def is_headless(self) -> bool:
        """False, since Textual would paint nothing."""
        return False

    def _get_terminal_size(self) -> tuple[int, int]:
        return self._recorded.screen_size

    def write(self, data: str) -> None:
        """Hand the text on."""
        self._recorded.painted(data)
