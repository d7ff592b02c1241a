"""The readings among the redraws of a bar.

A bar is drawn again and again: with a new step and the loss of the step before, with the old step
and a new loss, or with neither changed. In each way of using tqdm, the readings found here are the
losses of exactly the steps that were printed:

    for x in bar: bar.set_postfix(loss=…)      many losses at a step that is redrawn only later
    bar.set_postfix(loss=…); bar.update()      the loss comes one redraw before its step
    bar.update(); bar.set_postfix(loss=…)      the loss comes one redraw after its step
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.programs.text.printed import Printed


@dataclass(slots=True)
class _Seen:
    """The last redraw that was a reading."""

    drawn: int
    """The step as drawn."""
    step: int
    """The step that it was taken for."""
    loss: bytes


class Redraws:
    """The redraws of one bar after another, as they arrive."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None
        self._held: tuple[Printed, float] | None = None
        """A redraw at a new step with the old loss, which the next redraw may replace."""

    def add(self, bar: Printed, loss: float) -> Iterator[Printed]:
        """The readings that are certain now: bars, each with the step that its loss belongs to."""
        assert bar.step is not None
        drawn, key = bar.step, _key(loss)
        held, self._held = self._held, None
        if held is not None and (held[0].step != drawn or _key(held[1]) == key):
            if held[0].step == drawn:
                self._held = held  # drawn once more
                return
            yield from self._take(*held)
        seen = self._seen
        if seen is not None and drawn == 0 < seen.drawn and key == seen.loss:
            self._seen = _Seen(0, 0, key)  # a new bar that still shows the last loss of the old one
        elif seen is None or drawn < seen.drawn:
            yield from self._take(bar, loss)
        elif key == seen.loss:
            if drawn > seen.step:
                self._held = bar, loss
            else:
                seen.drawn = drawn
        else:
            yield from self._take(bar, loss)

    def finish(self) -> Iterator[Printed]:
        """The reading that was not certain."""
        held, self._held = self._held, None
        if held is not None:
            yield from self._take(*held)

    def _take(self, bar: Printed, loss: float) -> Iterator[Printed]:
        assert bar.step is not None
        seen = self._seen
        step = max(bar.step, 1)
        if seen is not None and bar.step == seen.drawn:
            step = max(step, seen.step + 1)
        elif seen is not None and seen.drawn < bar.step <= seen.step:
            step = seen.step + 1
        if bar.total:
            step = min(step, max(bar.total, 1))
        if seen is not None and seen.drawn <= bar.step and step <= seen.step:
            return  # the bar is full
        self._seen = _Seen(bar.step, step, _key(loss))
        yield replace(bar, step=step)

    def add_without_loss(self, bar: Printed) -> Iterator[Printed]:
        """The readings that are certain after a redraw without a loss, as of a new bar."""
        seen = self._seen
        if seen is not None and bar.step is not None and bar.step < seen.drawn:
            yield from self.finish()
            self._seen = None


def _key(loss: float) -> bytes:
    """The loss as it is compared: NaN equals NaN."""
    return struct.pack("<d", loss)
