"""The minima in which arms end, measured for each seed, and the differences between two arms."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from torch import Tensor

from engine.statistics.bootstrap import bootstrap
from engine.statistics.intervals import Interval


@dataclass(frozen=True, slots=True)
class ArmState:
    """Measurements of one arm, with a value per seed: (S,) each."""

    gap: Tensor
    """Validation error − training error, as shares of the samples."""
    sharpness: Tensor
    loss_gap: Tensor
    training_error: Tensor
    training_loss: Tensor

    def of(self, kept: Sequence[int]) -> "ArmState":
        """The measurements of the seeds at these places."""
        return ArmState(*(getattr(self, each.name)[kept] for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Ends:
    """An arm after all epochs, and when every seed first reached a common loss, if each did."""

    end: ArmState
    level: ArmState | None

    def of(self, kept: Sequence[int]) -> "Ends":
        """The measurements of the seeds at these places."""
        return Ends(self.end.of(kept), None if self.level is None else self.level.of(kept))

    def values(self) -> list[Tensor]:
        """The measurements that show if a seed's training came to an end."""
        return [self.end.training_loss, self.end.loss_gap, self.end.sharpness]


@dataclass(frozen=True, slots=True)
class Difference:
    """Full batch minus the smallest batch, seed by seed: 95% intervals of the mean."""

    gap: Interval
    loss_gap: Interval
    sharpness: Interval

    def __str__(self) -> str:
        return (
            f"validation gap {_pair(self.gap)} in errors, {_pair(self.loss_gap)} in loss, "
            f"sharpness {_pair(self.sharpness)}"
        )


@dataclass(frozen=True, slots=True)
class Differences:
    """The differences after all epochs, and when the training losses were the same."""

    end: Difference
    level: Difference | None

    @classmethod
    def between(cls, full: Ends, small: Ends) -> "Differences":
        """Full batch minus the smallest batch."""
        levels = full.level, small.level
        level = None if levels[0] is None or levels[1] is None else _less(levels[0], levels[1])
        return cls(_less(full.end, small.end), level)


def _less(full: ArmState, small: ArmState) -> Difference:
    pairs = (
        (full.gap, small.gap),
        (full.loss_gap, small.loss_gap),
        (full.sharpness, small.sharpness),
    )
    return Difference(*(bootstrap((one - other).tolist()) for one, other in pairs))


def _pair(interval: Interval) -> str:
    return f"{interval[0]:+.3g} to {interval[1]:+.3g}"
