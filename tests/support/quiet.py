"""Waiting until an app in this process has nothing to do, in a quarter of Textual's own time."""

import asyncio
import time
from typing import Final

_LOOK: Final = 0.002
"""Seconds between two looks at the processor time."""
_WORK: Final = 0.25
"""Share of the time between two looks for which the process worked if it had something to do."""
_QUIET: Final = 5
"""Looks in a row that must find no work: longer than Textual waits before it paints."""


async def wait_until_quiet(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Stands in for Textual's `wait_for_idle`, which waits 20 ms at least, 40 ms as a rule."""
    start = time.monotonic()
    quiet = 0
    while time.monotonic() - start < max_sleep:
        if quiet >= _QUIET and time.monotonic() - start >= min_sleep:
            return
        worked, slept = time.process_time(), time.monotonic()
        await asyncio.sleep(_LOOK)
        share = (time.process_time() - worked) / (time.monotonic() - slept)
        quiet = quiet + 1 if share < _WORK else 0
