"""Types into the terminal of a program, line by line."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

_ENTER = "\r"
_END_OF_FILE = "\x04"


class TypingScreen(ModalScreen[None]):
    """A line for text, which the program gets with Enter, as from a keyboard."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", show=False),
        Binding("ctrl+d", "end_of_file", "End of file", show=False, priority=True),
    ]

    def __init__(self, send: Callable[[str], object], below: int) -> None:
        """`send` types a text into the program's terminal.

        `below`: rows of the screen that stay free below the line, for the console.
        """
        super().__init__()
        self._send, self._below = send, below

    def compose(self) -> ComposeResult:
        line = Input(id="typing", max_length=4_000)
        line.styles.margin = (0, 0, self._below, 0)
        line.border_title = "type to the program"
        line.border_subtitle = "enter sends the line · ctrl+d: end of file · esc closes"
        yield line

    def on_input_submitted(self, message: Input.Submitted) -> None:
        self._send(message.value + _ENTER)
        message.input.clear()

    def action_end_of_file(self) -> None:
        self._send(_END_OF_FILE)
