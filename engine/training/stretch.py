"""What a trainer hands over: the losses of some consecutive batches. No torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some consecutive batches of one epoch under one setting: messages.Chunk, but for time."""

    epoch: int
    batch: int
    update: int
    in_update: int
    samples: int
    batch_size: int
    last_batch_size: int
    accumulation_steps: int
    lr: float
    losses: bytes
    is_finite: bool
    """All losses are finite; the first that is not ends the stretch."""
