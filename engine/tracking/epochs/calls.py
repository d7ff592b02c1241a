"""The calls of `run.epochs` in a script, which may go on after a checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class EpochCalls:
    """The calls of `run.epochs` in a script, some of which are done before a checkpoint."""

    starts: list[int] = field(default_factory=list)
    """The epochs done at each call."""
    last: int = 0
    """The last epoch of the latest call, as the script asks for it."""
    _past: Sequence[int] = ()
    """The epochs done at each call before the checkpoint with which the script goes on."""
    _extended: int = 0
    """The last epoch of the last of these calls, if a viewer has changed it; 0 if not."""

    def go_on_after(self, starts: Sequence[int], extended: int) -> None:
        """Go on with the last of these calls, and leave out those before."""
        self._past, self._extended = starts, extended

    def begin(self, done: int, count: int) -> int:
        """The last epoch of the next call, which is for `count` epochs; `done` are done.

        Returns 0 for a call before the one to go on with, whose epochs are done.
        """
        number, past = len(self.starts), self._past
        start = past[number] if number < len(past) else done
        self.starts.append(start)
        self.last = start + count
        if number < len(past) - 1:
            return 0
        is_last = number == len(past) - 1
        return max(self.last, self._extended) if is_last else self.last
