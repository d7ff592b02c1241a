"""The progress of a job that reports its completed share, with the time left."""

import time
from collections.abc import Callable

from gdtui.view.text.progress.line import CommandProgress
from gdtui.view.text.progress.time_left import TimeLeft


class JobProgress:
    """Follows one job from its start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._clock = clock
        self._began = clock()
        self._left = TimeLeft(clock)

    def tell(self, share: float, activity: str) -> CommandProgress:
        """Take in the completed share and the current work; returns the progress."""
        self._left.tell(share)
        return CommandProgress(
            share=share,
            elapsed=self._clock() - self._began,
            left=self._left.seconds,
            activities=(activity,),
        )
