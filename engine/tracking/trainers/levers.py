"""The means by which keys change how a Trainer trains."""

from typing import Protocol

from torch.optim import Optimizer

from engine.settings import Resolved, VariantSettings
from engine.tracking.loop.updates import Updates


class AccumulationLever(Protocol):
    """The means by which keys change a Trainer's accumulation."""

    def delay(self, steps: int) -> int:
        """Micro-batches that come before groups of this many can begin."""

    def accumulate(self, steps: int) -> None:
        """Accumulate over this many micro-batches from the next one on."""


class TrainerLevers:
    """The lr and accumulation of a training."""

    ahead = 0
    """Irrelevant to a Trainer, whose batch size stays."""

    def __init__(
        self, optimizer: Optimizer | None, steps: int, lever: AccumulationLever | None
    ) -> None:
        """`steps`: micro-batches per update at first."""
        self.updates = None if optimizer is None else Updates(optimizer, steps)
        self.steps = steps
        """Micro-batches per update."""
        self.base_lr = 1.0
        """The lr of the record's first settings."""
        self._lever = lever

    def change_batch_size(self, batch_size: int, steps: int, ahead: int) -> int:
        """No Trainer changes its batch size: such orders are refused."""
        return 0

    def delay(self, after: Resolved) -> int:
        """Batches that come before these settings can be in force."""
        return 0 if self._lever is None else self._lever.delay(after.accumulation_steps)

    def change_update(self, settings: VariantSettings, resolved: Resolved) -> None:
        """Use another accumulation and lr from the next batch on."""
        self.steps = settings.accumulation_steps
        if self._lever is not None:
            self._lever.accumulate(settings.accumulation_steps)
        if self.updates is not None:
            factor = resolved.lr / self.base_lr
            self.updates.scale_lr(1.0 if abs(factor - 1) < 1e-12 else factor)

    def release(self) -> None:
        """Leave the optimiser as it was."""
        if self.updates is not None:
            self.updates.release()
