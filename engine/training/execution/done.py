"""The batches of one call of the trainer, until their losses are fetched from the device."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.settings import Resolved
from engine.training.devices.fetch import fetched
from engine.training.execution.block import Outcome, UpdateBlock
from engine.training.schedule import NO_LIMIT, Batch
from engine.training.step import Trained


@dataclass(slots=True)
class TrainedBatches:
    """Consecutive batches that were trained: those of whole blocks first, then single ones."""

    start: int
    """Position of the first batch."""
    resolved: Resolved
    """The settings in force."""
    updates_per_call: int = 0
    """Updates in each call of a block; 0 if there was none."""
    outcomes: list[Outcome] = field(default_factory=list)
    lrs: list[float] = field(default_factory=list)
    """The lr of each update of the blocks."""
    end: int = 0
    """Samples of a short group, which a block of its own trained after the others."""
    singles: list[Trained] = field(default_factory=list)

    def add(
        self, called: Sequence[tuple[Outcome, list[float]]], block: UpdateBlock, end: int = 0
    ) -> None:
        """Add the results and lrs of calls of a block, the last one for `end` samples if any."""
        self.updates_per_call, self.end = block.updates if called else 0, end
        self.outcomes = [outcome for outcome, _ in called]
        self.lrs = [lr for _, lrs in called for lr in lrs]

    @property
    def samples(self) -> int:
        """Samples that blocks trained on."""
        return self._in_whole_groups * self.resolved.batch_size + self.end

    @property
    def in_blocks(self) -> int:
        """Number of batches that blocks trained."""
        return self._in_whole_groups - (-self.end // self.resolved.batch_size)

    @property
    def _in_whole_groups(self) -> int:
        calls = len(self.outcomes) - (self.end > 0)
        return calls * self.updates_per_call * self.resolved.accumulation_steps

    def __len__(self) -> int:
        return self.in_blocks + len(self.singles)

    def __getitem__(self, place: int) -> Batch:
        """The batch at this place, from 0."""
        if place >= self.in_blocks:
            return self.singles[place - self.in_blocks][0]
        size, steps = self.resolved.batch_size, self.resolved.accumulation_steps
        start, in_update = self.start + place * size, place % steps
        stop = min(start + size, self.start + self.samples)
        closes = in_update == steps - 1 or place == self.in_blocks - 1
        group = self.end if place >= self._in_whole_groups else size * steps
        return Batch(start, stop, group, in_update, closes, NO_LIMIT)

    def begun_and_closed(self, count: int) -> tuple[int, int]:
        """The updates that begin with one of the first `count` batches, and that end with one."""
        steps, before = self.resolved.accumulation_steps, self[0].in_update
        begun = (before + count - 1) // steps - (before - 1) // steps
        is_short = bool((before + count) % steps) and self[count - 1].closes_group
        return begun, (before + count) // steps + is_short

    def losses(self) -> NDArray[np.float32]:
        """The losses, fetched from the device."""
        of_blocks = [each.losses for each in self.outcomes]
        return fetched(of_blocks, [loss for _, loss, _ in self.singles])

    def weightless(self, count: int) -> tuple[int, ...]:
        """The places of losses without weight among the first `count`."""
        of_blocks = [each.weights for each in self.outcomes if each.weights is not None]
        of_singles = [weight for _, _, weight in self.singles if weight is not None]
        if not of_blocks and not of_singles:
            return ()
        return tuple(np.flatnonzero(fetched(of_blocks, of_singles)[:count] == 0).tolist())

    @property
    def clipped(self) -> list[Tensor]:
        """For each update of the blocks, whether its gradient was scaled down; empty without."""
        flags = (each.clipped for each in self.outcomes)
        return [flag for each in flags if each is not None for flag in each.unbind()]
