"""The position of a loop in its script: its epoch, its update, and the batch in training."""

from dataclasses import dataclass

from engine.tracking.epochs.count import EpochCount


@dataclass(slots=True)
class LoopProgress:
    """The position of a loop, as its own calls move it."""

    steps: int
    """Batches per update; changes only between groups."""
    count: EpochCount
    """The epochs of a loop that draws its batches itself."""
    in_group: int = 0
    """Batches of the update that has begun."""
    done: int = 0
    """Batches trained."""
    epoch: int = 0
    """The epoch that is being trained, from 1; 0 before the first."""
    last_epoch: int = 0
    samples: int = 0
    """Samples of the batch that `run.epochs` has given last; 0 if unknown."""
    untrained: int | None = None
    """The same until the loop has trained the batch; None afterwards."""
    is_in_epochs: bool = False
    """True if the loop draws its batches from `run.epochs`."""
    is_in_body: bool = False
    """True while the loop trains the batch that `run.epochs` has given last."""
    is_amid: bool = False
    """True if `run.epochs` goes on within an epoch, after a checkpoint."""
    is_epoch_over: bool = False
    """True between two epochs that `run.epochs` gives."""

    def train(self) -> None:
        """Count a batch."""
        self.in_group += 1
        self.done += 1
        self.untrained = None

    @property
    def has_epoch_ended(self) -> bool:
        """True between two epochs."""
        if self.is_in_epochs:
            return self.is_epoch_over
        return self.count.n > 0 and not self.count.done

    def end_batch(self, samples: int) -> bool:
        """Count the samples of a batch that the loop has drawn itself; true if its epoch ends."""
        self.epoch = self.epoch or 1
        has_ended = self.count.add(samples or 1)
        self.epoch += has_ended
        return has_ended
