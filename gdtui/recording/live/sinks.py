"""Places for the frames of a recording that is made while the app is used."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from gdtui.recording.cast.footage import Footage, Frame
from gdtui.recording.cast.text import event, header
from gdtui.recording.output.files import Output, write_output

_FLUSH_SECONDS: Final = 1.0
"""Seconds of a recording that are lost if the process is killed."""


class Sink(Protocol):
    """Takes frames. Every method may raise OSError, after which no other is called."""

    def begin(self, columns: int, rows: int) -> None:
        """Called once, before the first frame."""

    def add(self, seconds: float, sequences: str) -> None:
        """Take the next frame."""

    def end(self, text: str) -> int:
        """Called once, with the last screen as text; returns the size of the file."""


class CastStream:
    """A .cast file that grows while the app runs, and can be played whenever that ends."""

    def __init__(self, path: Path, title: str) -> None:
        self._path, self._title = path, title
        self._file: BinaryIO | None = None
        self._lines: list[str] = []
        self._size = 0
        self._written_at = 0.0

    def begin(self, columns: int, rows: int) -> None:
        self._file = self._path.open("wb", buffering=0)
        self._lines.append(header(columns, rows, self._title))
        self._write()

    def add(self, seconds: float, sequences: str) -> None:
        self._lines.append(event(seconds, sequences))
        if seconds >= self._written_at + _FLUSH_SECONDS:
            self._written_at = seconds
            self._write()

    def end(self, _: str) -> int:
        self._write()
        assert self._file is not None
        self._file.close()
        return self._size

    def _write(self) -> None:
        """Write whole lines; if they do not fit, the file ends with the line before them."""
        assert self._file is not None
        content, self._lines = "".join(self._lines).encode(), []
        try:
            while content:
                content = content[os.write(self._file.fileno(), content) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file.fileno(), self._size)
            with contextlib.suppress(OSError):
                self._file.close()
            raise
        self._size = os.lseek(self._file.fileno(), 0, os.SEEK_CUR)


class Collected:
    """Frames in memory, from which a file is made at the end."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._frames: list[Frame] = []
        self._columns = self._rows = 0

    def begin(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows

    def add(self, seconds: float, sequences: str) -> None:
        self._frames.append((seconds, sequences))

    def end(self, text: str) -> int:
        footage = Footage(self._columns, self._rows, tuple(self._frames), text)
        return write_output(self._output, footage)
