"""Groups what a program writes into frames at a steady rate."""

import math
from collections.abc import Callable
from typing import Final

from gdtui.recording.cast.delta import ScreenDelta
from gdtui.recording.emulator.screen import TerminalScreen

Emit = Callable[[float, str], None]
"""Takes a frame: its time in seconds, and the sequences that paint it."""
_SAME_TIME: Final = 6
"""Decimals of a number of frames; later ones are rounding errors."""


class FrameSampler:
    """Feeds a screen, and emits a frame for each period in which the screen has changed."""

    def __init__(self, screen: TerminalScreen, fps: float, emit: Emit) -> None:
        self.screen = screen
        self._fps = fps
        self._emit = emit
        self._delta = ScreenDelta(screen)
        self._frame = 0
        """The number of the frame that the newest writing belongs to."""
        self._seconds = 0.0

    def write(self, seconds: float, text: str) -> None:
        """Take in what was written at this time, which never decreases."""
        frame = math.ceil(round(seconds * self._fps, _SAME_TIME))
        if frame > self._frame:
            self._flush()
            self._frame = frame
        self.screen.feed(text)

    def finish(self, seconds: float) -> None:
        """Emit the last frame, and an empty one at the end, which keeps the recording's length."""
        self._flush()
        self._emit(max(seconds, self._seconds), "")

    def _flush(self) -> None:
        sequences = self._delta.take()
        if sequences:
            self._seconds = self._frame / self._fps
            self._emit(self._seconds, sequences)
