"""A clock that only moves when it is set forward, and the functions of `time` that read it.

Textual has no seam for its clock. So this module replaces functions of the module `time`; they keep
returning the real time to all callers except the screen's code, since the standard library and the
engine wait for real processes and threads.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

_SCREEN: Final = ("gdtui", "textual", "rich")
"""The packages whose code is shown the virtual time."""
_REPLACED: Final = ("monotonic", "perf_counter", "time")


class VirtualClock:
    """Seconds since the beginning of a recording."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> float:
        """The present time, in seconds."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Let this much time pass."""
        self._seconds += seconds


@contextlib.contextmanager
def screen_time(clock: VirtualClock) -> Iterator[None]:
    """Show the screen's code the time of this clock.

    Raises RuntimeError if Textual has been imported already, as it keeps the functions that it
    found when it was imported.
    """
    if "textual" in sys.modules:
        raise RuntimeError("virtual time must begin before textual is imported")
    originals = {name: getattr(time, name) for name in _REPLACED}
    for name, original in originals.items():
        setattr(time, name, _shared(original, clock.now))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(time, name, original)


def _shared(real: Callable[[], float], virtual: Callable[[], float]) -> Callable[[], float]:
    def now() -> float:
        caller: str = sys._getframe(1).f_globals.get("__name__", "")
        return virtual() if caller.partition(".")[0] in _SCREEN else real()

    return now
