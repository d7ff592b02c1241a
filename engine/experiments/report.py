"""Results of an experiment, as frozen values: arms with intervals, a verdict and its rule.

`gdtui experiment NAME --json` prints this document unchanged. The rules are in verdicts.py.
"""

from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from engine.settings import BatchSize


class Verdict(StrEnum):
    """The verdict on the claim, by the measured intervals."""

    SUPPORTED = "supported"
    NOT_SUPPORTED = "not supported"
    UNDECIDED = "undecided"
    NOT_GIVEN = "not given"
    """An arm failed that the rule needs."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A further measurement of an arm."""

    name: str
    value: float
    interval: tuple[float, float]
    unit: str = ""


class Arm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way of training, over all seeds: how many escaped, or the mean of the measurements."""

    name: str
    batch_size: BatchSize | None
    """None if the arm trains with several."""
    escaped: int | UnsetType = UNSET
    """The number of seeds that escaped."""
    value: float | UnsetType = UNSET
    """Mean over the seeds."""
    interval: tuple[float, float]
    """95% interval: Wilson's for the share that escaped, or a bootstrap interval of the mean."""
    per_seed: tuple[float, ...]
    """The value for each seed; 1 if it escaped, else 0."""
    figures: tuple[Figure, ...] = ()


class FailedTrials(msgspec.Struct, frozen=True, kw_only=True):
    """Seeds of an arm that could not be trained to the end."""

    arm: str
    seeds: tuple[int, ...]
    is_whole: bool
    """True if the whole arm is left out; otherwise, these seeds are left out of all arms."""
    reason: str

    def __str__(self) -> str:
        if self.is_whole:
            return f"arm {self.arm}: failed: {self.reason}"
        seeds = "seed" if len(self.seeds) == 1 else "seeds"
        numbers = ", ".join(map(str, self.seeds))
        return f"arm {self.arm}, {seeds} {numbers}: failed: {self.reason}"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result, with everything needed to judge and repeat it."""

    experiment: str
    claim: str
    verdict: Verdict
    rule: str
    """The rule that turns the intervals into the verdict."""
    meaning: str
    """The result in two plain sentences."""
    measured: str
    """Description of the quantity that the arms count or measure."""
    unit: str = ""
    """Unit of the values."""
    seeds: int
    """The number of seeds that were trained in every arm."""
    varied: str
    held: tuple[str, ...]
    """Conditions that were the same for all arms."""
    notes: tuple[str, ...] = ()
    """Limits of the result: stability, rounding."""
    arms: tuple[Arm, ...]
    failed: tuple[FailedTrials, ...] = ()
    """Trials that failed; the verdict rests on the others."""
    source: str
    device: str
    seconds: float = 0.0
    """Wall time of the whole experiment."""

    def arm(self, name: str) -> Arm:
        """The arm of this name; KeyError if there is none."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(name)
