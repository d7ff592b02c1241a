"""Textual's driver, with at most one frame under way (gdtui/terminal/frame_gate.py).

Owns the question; the answer it hands on to an app that waits for it, and keeps at the end from the
shell.
"""

import time
from typing import Any, Final

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from gdtui.terminal.frame_gate import QUERY, FrameGate
from gdtui.terminal.hangup import is_gone

_LAST_SECONDS: Final = 2.0
"""At the end the last answer is waited for: one that comes later would be typed into the shell."""


class GatedDriver(LinuxDriver):
    """Asks after each frame whether the terminal has taken it in."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._gate: FrameGate = app.frame_gate
        self._is_asking = False

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_asking = self.input_tty
        self.flush()

    def flush(self) -> None:
        """After each frame."""
        super().flush()
        if self._is_asking and self._gate.written():
            self.write(QUERY)

    def process_message(self, message: Message) -> None:
        """Called in the thread that reads the keys; it must not wait for the writer.

        An answer that no frame waits for ends here: the app's loop is not woken for it.
        """
        if isinstance(message, events.CursorPosition):
            if self._gate.answered():
                self._loop.call_soon_threadsafe(self.flush)
            if not self._gate.has_dropped:
                return
        super().process_message(message)

    def disable_input(self) -> None:
        self._is_asking = False
        deadline = time.monotonic() + _LAST_SECONDS
        while not (self._gate.wait(0.05) or is_gone(self.fileno) or time.monotonic() > deadline):
            pass
        super().disable_input()
