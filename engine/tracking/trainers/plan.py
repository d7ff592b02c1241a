"""The shape of a training by a Trainer, as far as it is known when the training begins."""

from dataclasses import dataclass, field
from typing import Any

from engine.tracking.controls import Abilities


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """The counts that a Trainer has fixed, and the reasons why it cannot change some of them."""

    batch_size: int
    """Samples in a micro-batch; 0 if unknown."""
    epoch_samples: int
    """Samples in an epoch; 0 if unknown."""
    drop_last: bool = False
    accumulation: int = 1
    """Micro-batches per update."""
    epochs: int
    """Epochs that this call trains."""
    epoch: int = 1
    """The first of them: above 1 if the training goes on from a checkpoint."""
    abilities: Abilities = field(default_factory=Abilities)
    remark: str = ""
    """The way in which the losses on record differ from those that the Trainer shows."""

    def refuse(self, reason: str) -> None:
        """Refuse every command, for this reason."""
        abilities = self.abilities
        abilities.accumulation_steps = abilities.lr = abilities.going = abilities.ends = reason


def length(source: Any) -> int:
    """The length of a loader or a dataset; 0 if it has none."""
    try:
        return len(source)
    except Exception:  # a dataset's own code
        return 0
