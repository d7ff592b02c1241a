"""The lr of each update: set as the update begins, and kept for the log as it was in force."""

from collections.abc import Callable, Iterator, Sequence

import torch

from engine.log.records.chunk import packed
from engine.training.schedule import Batch


class LearningRate:
    """Sets an optimiser's lr; a parameter group that began with another lr keeps its ratio."""

    def __init__(self, optimizer: torch.optim.Optimizer, lr: float) -> None:
        self._groups = [(group, group["lr"] / lr) for group in optimizer.param_groups]

    @property
    def ratios(self) -> list[float]:
        """The lr of each group ÷ the lr in force."""
        return [ratio for _, ratio in self._groups]

    def use_ratios(self, ratios: Sequence[float]) -> None:
        """Use the ratios of another training. Raises ValueError for another number of groups."""
        pairs = zip(self._groups, ratios, strict=True)
        self._groups = [(group, float(ratio)) for (group, _), ratio in pairs]

    def set(self, lr: float) -> None:
        """Use this lr from the next step on."""
        for group, ratio in self._groups:
            group["lr"] = lr * ratio

    @property
    def first(self) -> float:
        """The lr of the first group, as it is now."""
        return float(self._groups[0][0]["lr"])


LrOfUpdate = Callable[[int], float]
"""Sets the lr of an update that begins after so many samples of the run, and returns it."""


class LrTrack:
    """The lrs of the updates that have begun, until they are logged."""

    def __init__(self, lr: float) -> None:
        self._begun: list[float] = []
        self.lr = lr
        """That of the latest update that was taken."""

    def followed(self, batches: Iterator[Batch], before: int, lr_of: LrOfUpdate) -> Iterator[Batch]:
        """The batches as they come, the lr set as each group begins.

        `before`: samples of the run before the epoch of these batches.
        """
        for batch in batches:
            if not batch.in_update:
                self._begun.append(lr_of(before + batch.start))
            yield batch

    def take(self, begun: int, in_blocks: Sequence[float], *, is_amid: bool) -> float | bytes:
        """The lr of the updates that some batches contribute to, as a chunk holds it.

        `begun` updates began with them, those of blocks first, `in_blocks`; `is_amid` is true if
        the first batch goes on with an update. Forgets the updates that were begun beyond: they
        begin again.
        """
        lrs = [*in_blocks, *self._begun][:begun]
        lrs = [self.lr, *lrs] if is_amid else lrs
        self.lr = lrs[-1]
        self._begun.clear()
        return packed(lrs)
