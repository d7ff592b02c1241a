"""Figures of a recipe at work: the lr of the last update, updates that were clipped or left out."""

from dataclasses import dataclass

from engine.log.reading.loss_block import LossBlock
from engine.log.records import Chunk
from engine.settings import LossAudit, Resolved


@dataclass(slots=True)
class RecipeFigures:
    """Those of one generation so far."""

    lr: float | None = None
    """That of the last update; None before one under the settings in force."""
    clipped: int = 0
    """Updates whose gradient was scaled down to the norm allowed."""
    clippable: int = 0
    """Updates while there was such a norm."""
    skipped: int = 0
    """Updates that were left out, since their fp16 gradients overflowed."""
    _updates: int = 0

    @property
    def clipped_share(self) -> float | None:
        """The share of updates that were clipped, of those that could be; None without any."""
        return self.clipped / self.clippable if self.clippable else None

    def add(self, chunk: Chunk, updates: int, *, is_clipped: bool) -> None:
        """Take in the next losses, after which so many updates are done."""
        self.lr = chunk.last_lr
        self.clipped += chunk.clipped
        self.skipped += chunk.skipped
        self.clippable += is_clipped * (updates - self._updates)
        self._updates = updates

    def add_block(self, block: LossBlock, updates: int, *, is_clipped: bool) -> None:
        """Add chunks, at least one, after which `updates` updates are done."""
        self.lr = block.chunks[-1].last_lr
        self.clipped += int(block.clipped.sum())
        self.skipped += int(block.skipped.sum())
        self.clippable += is_clipped * (updates - self._updates)
        self._updates = updates


def is_big_batch(now: Resolved, micro_batch: int | None, audit: LossAudit | None) -> bool | None:
    """True if an update equals that of one large batch; None without an audit that decides."""
    at_once = min(now.batch_size, micro_batch or now.batch_size)
    if at_once == now.batch_size and now.accumulation_steps == 1:
        return True
    return None if audit is None else audit.is_big_batch
