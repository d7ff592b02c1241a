"""A Textual driver that has at most one frame under way to the terminal, and survives signals.

Sends the question of gdtui/terminal/frame_gate.py, passes its answer to an app that waits for it,
and at the end keeps late answers from the shell. Gives the terminal back when the process is
stopped and takes it again when the process continues, once for each stop.
"""

import contextlib
import os
import signal
import termios
import time
from typing import Any, Final

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from gdtui.terminal.frame_gate import QUERY, FrameGate
from gdtui.terminal.hangup import is_gone

_LAST_SECONDS: Final = 2.0
"""Seconds to wait for the last answer at the end; a later one would be typed into the shell."""


class GatedDriver(LinuxDriver):
    """Asks after each frame whether the terminal has taken it in."""

    def __init__(self, app: Any, **options: Any) -> None:
        self._is_started = self._is_suspended = False
        self._must_stop = False
        self._raw_modes: list[Any] | None = None
        """The terminal's modes while the app uses it."""
        super().__init__(app, **options)
        self._gate: FrameGate = app.frame_gate
        self._is_asking = False
        # In place of Textual's handlers, which interrupt the app anywhere: amid a write, which
        # holds a lock, another write would wait for itself. The loop also keeps their order.
        self._loop.add_signal_handler(signal.SIGTSTP, self._note_stop)
        self._loop.add_signal_handler(signal.SIGCONT, self._go_on)
        signal.signal(signal.SIGCONT, self._note_continuing)

    def start_application_mode(self) -> None:
        if (
            self._is_started
        ):  # else a second thread reads keys, and these modes are taken for the shell's
            return
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # Start nothing in the background; `fg` continues the process once more.
        self._is_started = self._key_thread is not None and self._key_thread.is_alive()
        if self._is_started:
            self._raw_modes = self._modes()
            self._is_asking = self.input_tty
            self.flush()

    def stop_application_mode(self) -> None:
        self._is_started = False
        super().stop_application_mode()

    def flush(self) -> None:
        """After each frame."""
        super().flush()
        if self._is_asking and self._gate.written():
            self.write(QUERY)

    def process_message(self, message: Message) -> None:
        """Called in the thread that reads the keys; it must not wait for the writer.

        An answer that no frame waits for ends here, without waking the app's loop.
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

    # --- Stopping and going on ------------------------------------------------------------------

    def _note_stop(self) -> None:
        self._must_stop = True
        # A SIGCONT that came before now is read in the next turn and heard in that after it, later
        # than what was called from here in two; so call in three.
        call_soon = self._loop.call_soon
        call_soon(call_soon, call_soon, self._suspend)

    def _note_continuing(self, *_: object) -> None:
        """Called at once; the loop calls `_go_on` later."""
        self._must_stop = False

    def _suspend(self) -> None:
        """Give the terminal back to the shell, and stop, unless a SIGCONT has arrived since."""
        this_process = os.getpid()  # asked for last, it would let a handler run after the last look
        if self._must_stop and self._auto_restart and self._is_started:
            self.suspend_application_mode()
            self._is_suspended = self._must_signal_resume = True
        if self._must_stop:
            os.kill(this_process, signal.SIGSTOP)

    def _go_on(self) -> None:
        """Take the terminal again; a SIGCONT may also reach a process that was not stopped."""
        self._must_stop = False
        if not self._auto_restart:
            return
        if self._is_suspended:
            self.resume_application_mode()
            self._is_suspended = not self._is_started
        elif self._is_started and self._is_in_foreground:
            self._repair()

    def _repair(self) -> None:
        """Restore the terminal after a SIGSTOP, which came without warning.

        A shell has set its own modes meanwhile, and has written on the screen.
        """
        if self._raw_modes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._raw_modes)
        self.write("\x1b[?25l")
        self._enable_bracketed_paste()
        self._disable_line_wrap()
        self._enable_mouse_support()
        self._app.post_message(self.SignalResume())

    @property
    def _is_in_foreground(self) -> bool:
        """True unless the shell has the terminal; a process that sets its modes then is stopped."""
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:  # not our session's terminal: no process is stopped
            return True

    def _modes(self) -> list[Any] | None:
        try:
            return termios.tcgetattr(self.fileno)
        except termios.error:
            return None
