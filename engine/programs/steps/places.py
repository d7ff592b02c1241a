"""The place of each reading in the training: steps counted over the whole program, and epochs.

Programs count the steps of each epoch again from 0 or 1, or over the whole training. A count that
goes back begins the next epoch if the printed epoch or a full bar says so; otherwise training has
begun again, which is another generation.
"""

import math
from copy import copy
from dataclasses import dataclass, replace
from typing import Final

from engine.programs.text.printed import Form, Printed

_NEARLY: Final = 0.9
"""Share of a bar after which a new bar is the next epoch rather than another training."""
_MOST: Final = 10**12


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a training."""

    generation: int
    """1 for the first training of the program."""
    step: int
    """Counted from 1 in each generation."""
    epoch: int | None
    """Counted from 1; None if unknown."""
    epoch_steps: int | None
    """Steps in an epoch, if they are known."""
    epochs: int | None = None
    """Epochs in all, if they are known."""


class StepPlaces:
    """The places of a source's readings, in the order in which they are printed."""

    def __init__(self, generation: int = 1, *, restarts: bool = True) -> None:
        """`restarts` False: a step that goes back always begins an epoch."""
        self._generation, self._restarts = generation, restarts
        self._before = 0
        """Steps of the epochs before, if steps are counted in each epoch."""
        self._local: int | None = None
        """The last step as printed."""
        self._total: int | None = None
        self._epoch: float | None = None
        """The last epoch as printed."""
        self._passes = 1
        self._shift = self._epoch_shift = 0
        """Added to what is counted from 0."""
        self._last: Place | None = None
        self._is_epoch_over = False
        """True if the next step that goes back begins an epoch, whatever else is printed."""
        self.joins = 0
        """Times that training would have begun again, had it not been said to be the same."""
        self.before_restart: StepPlaces | None = None
        """The places as they were when training last began again."""
        self.is_counted_by_epoch = False
        """True once the printed steps have begun again with an epoch."""

    @property
    def last(self) -> Place | None:
        """The place of the last reading; None before the first."""
        return self._last

    def end_epoch(self) -> None:
        """Take note that the epoch has ended: a step that goes back now belongs to the next one."""
        self._is_epoch_over = True

    def rejoined(self, generation: int, *, has_restarted: bool) -> "StepPlaces":
        """The same training, to go on under another number of its generation.

        `has_restarted`: a step that went back was taken for another training, and never is again.
        """
        places = copy(self)
        places._generation = generation
        places._restarts &= not has_restarted
        places._is_epoch_over = True
        if places._last is not None:
            places._last = replace(places._last, generation=generation)
        return places

    def align(self, first: Printed) -> None:
        """Prepare for steps that are counted elsewhere, perhaps from 0 instead of 1."""
        if self._local is not None and first.step is not None:
            shift = self._local + 1 - first.step
            self._shift = shift if shift in (0, 1) else self._shift

    def add(self, printed: Printed) -> Place:
        """The place of the next reading; one without a step is the step after the last one."""
        local = printed.step
        if self._local is None:
            self._begin(printed)
        epoch = printed.epoch if printed.epoch is None else printed.epoch + self._epoch_shift
        previous = 0 if self._local is None else self._local
        local = previous + 1 if local is None else min(local + self._shift, _MOST)
        if self._local is not None and local <= self._local:
            self._go_back(printed, epoch)
        self._is_epoch_over = False
        self._local, self._total = local, printed.total
        self._epoch = epoch if epoch is not None else self._epoch
        step = max(self._before + local, 1)
        if self._last is not None and self._last.generation == self._generation:
            step = max(step, self._last.step + 1)
        self._last = Place(
            self._generation,
            step,
            self._ordinal(),
            self._epoch_steps(step, printed.form),
            self._epochs(step, printed),
        )
        return self._last

    def is_last(self, printed: Printed, local: int) -> bool:
        """True for a step that is printed again, within the same epoch."""
        if self._local is None or local + self._shift != self._local:
            return False
        epoch = None if printed.epoch is None else printed.epoch + self._epoch_shift
        return epoch is None or self._epoch is None or epoch == self._epoch

    def _begin(self, printed: Printed) -> None:
        if printed.form is Form.TRAINER:
            return  # its epochs have fractions, and a bar tells its steps
        self._epoch_shift = int(printed.epoch == 0)
        self._shift = int(printed.step == 0)

    def _go_back(self, printed: Printed, epoch: float | None) -> None:
        """The printed step did not rise: the next epoch, or another training."""
        assert self._local is not None
        change = 0.0 if epoch is None or self._epoch is None else epoch - self._epoch
        is_full = printed.is_bar and self._local >= _NEARLY * (self._total or 0)
        is_epoch = change > 0 or (change == 0 and (is_full or self._is_epoch_over))
        if not is_epoch and not self._restarts:
            is_epoch = True
            self.joins += 1
        if is_epoch:
            is_near = self._total is not None and self._local <= self._total <= 2 * self._local
            self._before += self._total if is_near and self._total else self._local
            self._passes += 1
            self.is_counted_by_epoch = True
        else:
            self.before_restart = None
            self.before_restart = copy(self)
            self._generation += 1
            self._before, self._passes = 0, 1
            self._epoch = None
            self.is_counted_by_epoch = False

    def _ordinal(self) -> int | None:
        if self._epoch is None:
            return self._passes if self.is_counted_by_epoch else None
        found = math.ceil(self._epoch) if abs(self._epoch) < _MOST else 1
        found = max(found, self._passes)
        before = self._last
        if before is not None and before.generation == self._generation:
            found = max(found, before.epoch or 1)
        return min(max(found, 1), _MOST)

    def _epoch_steps(self, step: int, form: Form) -> int | None:
        if form is Form.TRAINER:
            return max(round(step / (self._epoch or 1)), 1) if _is_above_0(self._epoch) else None
        return self._total if self._epoch is not None or self.is_counted_by_epoch else None

    def _epochs(self, step: int, printed: Printed) -> int | None:
        if printed.form is Form.TRAINER and printed.total and _is_above_0(printed.epoch):
            return max(round(printed.total / step * (printed.epoch or 0)), 1)
        if printed.form is Form.LIGHTNING and printed.epochs is not None:
            return printed.epochs + self._epoch_shift
        return printed.epochs


def _is_above_0(epoch: float | None) -> bool:
    return epoch is not None and 1e-9 < epoch < _MOST
