"""Waiting until an app in this process has nothing to do, sooner and more surely than Textual."""

import asyncio
import time
from typing import Final

_LOOK: Final = 0.002
"""Seconds between two looks at the processor time."""
_WORK: Final = 0.25
"""Share of the time between two looks for which the process worked if it had something to do."""
_LATE: Final = 0.006
"""Seconds after which a look comes so late that others had the processor: that says nothing."""
_QUIET: Final = 0.02
"""Seconds without work that must follow each other: Textual paints every 17 ms."""


async def wait_until_quiet(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Stands in for Textual's `wait_for_idle`.

    That looks every 20 ms, so that the end of the work is seen up to 20 ms late; and it takes a
    process that others keep from the processor for an idle one.
    """
    start = time.monotonic()
    quiet = 0.0
    while (now := time.monotonic()) - start < max_sleep:
        if quiet >= _QUIET and now - start >= min_sleep:
            return
        worked = time.process_time()
        await asyncio.sleep(_LOOK)
        passed = time.monotonic() - now
        is_quiet = time.process_time() - worked < _WORK * passed and passed < _LATE
        quiet = quiet + passed if is_quiet else 0.0
