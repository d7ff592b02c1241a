"""The progress of a run in training, from its tallies: that of its slowest variant."""

import time
from collections.abc import Callable, Sequence

from engine.log.summary import Tally
from gdtui.state.stored.progress import share_done
from gdtui.view.text.formatting import number
from gdtui.view.text.progress.line import CommandProgress
from gdtui.view.text.progress.time_left import TimeLeft, longest


class TrainingProgress:
    """Follows the tallies of one run; the time left is that of the variant that ends last."""

    def __init__(
        self, tallies: Sequence[Tally], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` returns seconds since an arbitrary start."""
        self._tallies = tallies
        self._clock = clock
        self._began = clock()
        self._left = [TimeLeft(clock) for _ in tallies]

    def follow(self) -> None:
        """Note how far training has got; the more often, the better the estimate."""
        while len(self._left) < len(self._tallies):  # a variant was added
            self._left.append(TimeLeft(self._clock))
        for tally, left in zip(self._tallies, self._left, strict=True):
            left.tell(share_done(tally))

    def look(self) -> CommandProgress:
        """The progress by now."""
        self.follow()
        return CommandProgress(
            share=min(map(share_done, self._tallies)),
            elapsed=self._clock() - self._began,
            left=longest(left.seconds for left in self._left),
            activities=self._activities(),
        )

    def _activities(self) -> tuple[str, ...]:
        going = [tally for tally in self._tallies if not tally.state.is_ended]
        slowest = min(going, key=share_done, default=None)
        return (
            " · ".join(_with_loss(tally) for tally in self._tallies),
            " · ".join(_place(tally) for tally in self._tallies),
            _place(slowest) if slowest is not None else "",
        )


def _place(tally: Tally) -> str:
    if tally.state.is_broken or not tally.planned_epochs:
        return f"{tally.name} {tally.state}"
    return f"{tally.name} {len(tally.epoch_losses)}/{tally.planned_epochs}"


def _with_loss(tally: Tally) -> str:
    if not tally.epoch_losses or tally.state.is_broken:
        return _place(tally)
    return f"{_place(tally)} loss {number(tally.final_loss)}"
