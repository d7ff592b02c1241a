"""Flushes a log to disk once a second, so that a power cut costs at most about a second of it.

On a slow disk that may take seconds, so a separate thread waits for it, not the training.
"""

import threading
from pathlib import Path
from typing import Final

from engine.log.filesystem.sync import sync_directory, sync_file

EVERY_SECONDS: Final = 1.0
"""Seconds between two syncs."""


class BackgroundSync:
    """Syncs a file once a second while it grows, in a thread that the first write starts."""

    def __init__(self, file: int, path: Path) -> None:
        self._file, self._path = file, path
        self._written = self.synced = 0
        """Bytes from the start of the file that were written, and that are known to be on disk."""
        self._is_named = False
        """True once the file's directory entry is on disk."""
        self._failure: OSError | None = None
        self._has_more, self._has_ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, written: int) -> None:
        """Record a write that extended the file to `written` bytes; never waits."""
        self._written = written
        if self._thread is None or not self._thread.is_alive():  # as in a process just forked
            self._has_more, self._has_ended = threading.Event(), threading.Event()
            self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
            self._thread.start()
        if not self._has_more.is_set():
            self._has_more.set()

    def take_failure(self) -> OSError | None:
        """Return and clear the error of the last sync; bytes after `synced` may be lost."""
        failure, self._failure = self._failure, None
        return failure

    def finish(self) -> None:
        """End the thread, then sync the rest of the file; raises OSError if that fails."""
        self._has_ended.set()
        self._has_more.set()
        if self._thread is not None:
            self._thread.join()
        self._sync()

    def _run(self) -> None:
        while self._has_more.wait():
            self._has_more.clear()  # before the pause, so that an end in it is not cleared away
            if self._has_ended.wait(EVERY_SECONDS):
                return
            try:
                self._sync()
            except OSError as error:
                self._failure = error

    def _sync(self) -> None:
        written = self._written
        if written > self.synced:
            sync_file(self._file)
            self.synced = written
        if not self._is_named:
            sync_directory(self._path.parent)
            self._is_named = True
