"""The losses of consecutive batches, as one record."""

from engine.log.records.base import Record


class Chunk(Record, frozen=True, kw_only=True):
    """The losses of some consecutive batches of one epoch under one setting.

    Everything about each batch follows from this header: batch i of the chunk (from 0) is number
    `batch + i`, holds `batch_size` samples (the last one `last_batch_size`), starts at
    `samples + i × batch_size` and contributes to `update + (in_update + i) // accumulation_steps`.
    """

    generation: int
    epoch: int
    batch: int
    """Number of the chunk's first batch."""
    update: int
    """The update to which the first batch contributes."""
    in_update: int
    """Batches of that update already done before this chunk."""
    samples: int
    """Samples trained on before the first batch."""
    seconds: float
    """Training time before the first batch: no pauses, no waits for the pace, no measurements."""
    duration: float
    """Training time that these batches took."""
    batch_size: int
    last_batch_size: int
    accumulation_steps: int
    """Batches behind one update, as resolved."""
    lr: float
    """The lr in force."""
    behind: bool = False
    """True when the variant could not keep the pace."""
    peak_memory: int = 0
    """Peak bytes: CUDA's tensors, what MPS holds, resident memory on the CPU; 0: unknown."""
    losses: bytes
    """Mean loss of each batch before its update: little-endian float32, 4 bytes a batch."""

    @property
    def batches(self) -> int:
        return len(self.losses) // 4

    @property
    def end_samples(self) -> int:
        """Samples trained on after the last batch."""
        return self.samples + (self.batches - 1) * self.batch_size + self.last_batch_size

    @property
    def last_update(self) -> int:
        """The update to which the last batch contributes."""
        return self.update + (self.in_update + self.batches - 1) // self.accumulation_steps
