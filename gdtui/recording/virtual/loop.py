"""An asyncio loop in virtual time: instead of waiting for a timer, it sets its clock forward.

Time stands still while a thread of the executor or another process works, so what happens does not
depend on how fast the machine is.
"""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, Final

from gdtui.recording.virtual.clock import VirtualClock

_POLL_SECONDS: Final = 0.01
"""Real time between two questions to another process."""
_Ready = list[tuple[selectors.SelectorKey, int]]


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is that of a virtual clock."""

    def __init__(self, clock: VirtualClock, is_waiting: Callable[[], bool] = lambda: False) -> None:
        """`is_waiting` returns True while another process works, and asks it for its results."""
        self._clock = clock
        self._waiting = _VirtualSelector(clock, is_waiting)
        super().__init__(self._waiting)

    def time(self) -> float:
        """The time of the virtual clock, in seconds."""
        return self._clock.now()

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run in a thread; time stands still until the result has been taken."""
        future = super().run_in_executor(executor, func, *args)
        self._waiting.threads += 1
        future.add_done_callback(self._note_end)
        return future

    def _note_end(self, _: asyncio.Future[Any]) -> None:
        self._waiting.threads -= 1


class _VirtualSelector(selectors.DefaultSelector):
    """Waits for files and threads in real time, and lets virtual time pass otherwise."""

    def __init__(self, clock: VirtualClock, is_waiting: Callable[[], bool]) -> None:
        super().__init__()
        self._clock = clock
        self._is_waiting = is_waiting
        self.threads = 0
        """Pieces of work in the executor that have not ended."""

    def select(self, timeout: float | None = None) -> _Ready:
        is_real = timeout is None or (self.threads > 0 and timeout > 0)
        ready: _Ready = super().select(None if is_real else 0)
        if ready or timeout is None or timeout <= 0:
            return ready
        if self._is_waiting():
            return super().select(_POLL_SECONDS)
        self._clock.advance(timeout)
        return ready
