"""The keys for a replay, which pause it and change its speed.

All other keys answer that they have no effect.
"""

import math
from typing import Final

from gdtui.control.lineage import Notes
from gdtui.control.run_controller import RunController
from gdtui.state.replay import SPEEDS, Replay
from gdtui.state.store import Store
from gdtui.view.text.formatting import speed

REPLAYING: Final = "only a replay: space pauses it, < and > change its speed, f goes to its end"
_ENDED: Final = "the replay has ended: this is how the run was left"


class ReplayController(RunController):
    """Turns keys into changes of the replay; all other keys answer that they have no effect."""

    def __init__(self, store: Store, replay: Replay) -> None:
        super().__init__(store, None, refusal=REPLAYING)
        self._replay = replay

    def pause(self) -> Notes:
        """Pause or resume the replay."""
        if self._replay.has_ended:
            return [_ENDED]
        self._replay.pause(not self._replay.is_paused)
        return []

    def pace(self, step: int) -> Notes:
        """Make the replay slower (−1) or faster (1)."""
        if self._replay.has_ended:
            return [_ENDED]
        now = self._replay.speed
        rungs = [each for each in SPEEDS if (each > now if step > 0 else each < now)]
        if not rungs:
            return [f"the replay goes {speed(now)} already"]
        self._replay.set_speed(rungs[0] if step > 0 else rungs[-1])
        return []

    def free(self) -> Notes:
        """Play the rest at once."""
        if self._replay.has_ended:
            return [_ENDED]
        self._replay.set_speed(math.inf)
        self._replay.pause(False)
        return []
