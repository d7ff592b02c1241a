"""The means by which orders change a loop: its loader, its optimiser, its accumulation."""

from typing import TYPE_CHECKING

from engine.settings import Resolved, VariantSettings
from engine.tracking.epochs.progress import LoopProgress

if TYPE_CHECKING:
    from engine.tracking.beginning import Arguments
    from engine.tracking.loop.batches import LoaderBatches
    from engine.tracking.loop.updates import Updates


class LoopLevers:
    """Changes a loop between two of its updates."""

    def __init__(
        self,
        arguments: "Arguments",
        progress: LoopProgress,
        updates: "Updates | None",
        batches: "LoaderBatches | None",
        ranks: int,
    ) -> None:
        self._arguments, self._at, self._ranks = arguments, progress, ranks
        self._updates, self._batches = updates, batches

    @property
    def ahead(self) -> int:
        """Batches that were read before the loop wants them; they keep their size."""
        return 0 if self._batches is None else self._batches.ahead

    def change_batch_size(self, batch_size: int, steps: int, ahead: int) -> int:
        """Use another batch size; returns the batches of the old size that still come."""
        assert self._batches is not None
        return self._batches.resize(batch_size // self._ranks, steps, ahead)

    def delay(self, after: Resolved) -> int:
        """Settings can be in force at any update."""
        return 0

    def change_update(self, settings: VariantSettings, resolved: Resolved) -> None:
        """Use another accumulation and lr from the next batch on."""
        self._at.steps = resolved.accumulation_steps
        if self._updates is not None:
            self._updates.steps = resolved.accumulation_steps
            factor = resolved.lr / self._arguments.base_lr
            self._updates.scale_lr(1.0 if abs(factor - 1) < 1e-12 else factor)
