"""Records what an app writes to its terminal, in a thread, so that no key waits for a disk."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from gdtui.recording.cast.frames import FrameSampler
from gdtui.recording.emulator.screen import TerminalScreen
from gdtui.recording.live.sinks import Sink
from gdtui.recording.output.files import OutputError

_CLEAR: Final = "\x1b[0m\x1b[2J"
Note = Callable[[str], None]
"""Shows a text to the user; called from another thread."""


class ScreenRecorder:
    """A recording in progress: it begins with the first size of the screen, and keeps this size."""

    def __init__(self, sink: Sink, fps: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._sink = sink
        self._fps = fps
        self._clock = clock
        self._pieces: SimpleQueue[tuple[float, str] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._began = 0.0
        self._note: Note | None = None
        self.trouble = ""
        """The reason why the recording ended early; empty if it did not."""
        self.seconds, self.frames, self.size = 0.0, 0, 0
        """Length, number of frames and bytes of the file; complete once it has ended."""
        self.cpu_seconds = 0.0
        """Processor time that it took."""

    def resized(self, columns: int, rows: int, note: Note) -> None:
        """Begin with this size; later, clear the screen, which the app paints again.

        `note` tells the user if the recording ends early.
        """
        if self._thread is not None:
            self.painted(_CLEAR)
            return
        self._note = note
        self._began = self._clock()
        work = threading.Thread(
            target=self._work, args=(columns, rows), name="gdtui-recording", daemon=True
        )
        self._thread = work
        work.start()

    def painted(self, text: str) -> None:
        """Take in a text for the terminal; what comes before the first size is left out."""
        if self._thread is not None and not self.trouble:
            self._pieces.put((self._clock() - self._began, text))

    def stop(self) -> None:
        """End the recording, with everything that was painted. Safe to repeat."""
        self._note = None
        if self._thread is not None:
            self._pieces.put(None)
            self._thread.join()

    def _work(self, columns: int, rows: int) -> None:
        began = time.thread_time()
        try:
            self._record(TerminalScreen(columns, rows))
        except (OSError, OutputError) as error:
            self.trouble = getattr(error, "strerror", None) or str(error)
            if self._note is not None:
                self._note(f"the recording ended: {self.trouble}. Training goes on")
        self.cpu_seconds = time.thread_time() - began

    def _record(self, screen: TerminalScreen) -> None:
        self._sink.begin(screen.columns, screen.rows)
        sampler = FrameSampler(screen, self._fps, self._add)
        while (piece := self._pieces.get()) is not None:
            sampler.write(*piece)
        sampler.finish(self._clock() - self._began)
        self.size = self._sink.end(screen.text())

    def _add(self, seconds: float, sequences: str) -> None:
        self._sink.add(seconds, sequences)
        self.seconds, self.frames = seconds, self.frames + 1
