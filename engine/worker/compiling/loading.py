"""Compiled steps that a thread loads, since that may take longer than a slice of training."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.training.execution.block import UpdateBlock


class Loading:
    """A compiled step that a thread loads from a file, since that may take longer than a slice.

    Without a file, it is made at once: a capture is quick, and belongs in the thread that trains.
    """

    def __init__(self, load: Callable[[], UpdateBlock], *, has_file: bool) -> None:
        self.block: UpdateBlock | None = None
        self.failure = ""
        self._do = load
        self._thread = threading.Thread(target=self._load, name="load", daemon=True)
        if has_file:
            self._thread.start()
        else:
            self._load()

    @property
    def has_ended(self) -> bool:
        """True once `block` is there, or `failure` says why it is not."""
        return not self._thread.is_alive()

    def _load(self) -> None:
        try:
            self.block = self._do()
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
