"""The epochs of a loop that draws its own batches, as far as its loader tells their sizes."""

from dataclasses import dataclass


@dataclass(slots=True)
class EpochCount:
    """The place in the epoch of a loop that goes through its loader again and again."""

    n: int
    """Samples in an epoch; 0 if unknown."""
    batch_size: int
    """Samples in a batch, the last one perhaps excepted; 0 if unknown."""
    drop_last: bool
    done: int = 0
    """Samples of this epoch that were trained on."""

    @property
    def next_samples(self) -> int:
        """Samples in the next batch; 0 if unknown."""
        if not self.batch_size or not self.n:
            return self.batch_size
        return max(1, min(self.batch_size, self.n - self.done))

    def ends_with(self, samples: int) -> bool:
        """True if the epoch ends with a batch of so many samples."""
        left = self.n - self.done - samples
        return self.n > 0 and left < (self.batch_size if self.drop_last else 1)

    def add(self, samples: int) -> bool:
        """Count a batch; true if the epoch has ended."""
        has_ended = self.ends_with(samples)
        self.done = 0 if has_ended else self.done + samples
        return has_ended
