"""The rules that turn intervals into verdicts, and the arms with those intervals. No torch.

Each rule is next to the sentence that describes it, so that reports state the rule applied.
"""

from collections.abc import Sequence
from typing import Final

from engine.experiments.report import Arm, Figure, Verdict
from engine.settings import BatchSize
from engine.statistics.bootstrap import bootstrap
from engine.statistics.intervals import Interval, wilson

ESCAPE_RULE: Final = (
    "supported: the 95% interval of the share that escaped lies above ½ at the smallest batch and "
    "below ½ at full batch; not supported: it lies below ½ at the smallest batch, or above ½ at "
    "full batch; otherwise undecided"
)


def counted(
    batch_size: BatchSize, escaped: Sequence[bool], figures: tuple[Figure, ...] = ()
) -> Arm:
    """An arm that counts the seeds that escaped."""
    count = sum(escaped)
    return Arm(
        name=str(batch_size),
        batch_size=batch_size,
        escaped=count,
        interval=wilson(count, len(escaped)),
        per_seed=tuple(map(float, escaped)),
        figures=figures,
    )


def valued(
    name: str,
    batch_size: BatchSize | None,
    values: Sequence[float],
    figures: tuple[Figure, ...] = (),
) -> Arm:
    """An arm with a measurement for each seed."""
    return Arm(
        name=name,
        batch_size=batch_size,
        value=mean(values),
        interval=bootstrap(values),
        per_seed=tuple(map(float, values)),
        figures=figures,
    )


def figure(name: str, values: Sequence[float], unit: str = "") -> Figure:
    """A further figure of an arm, with one value per seed."""
    return Figure(name=name, value=mean(values), interval=bootstrap(values), unit=unit)


def share(name: str, happened: Sequence[bool]) -> Figure:
    """A further figure of an arm: the share of the seeds in which something happened."""
    count = sum(happened)
    return Figure(name=name, value=count / len(happened), interval=wilson(count, len(happened)))


def mean(values: Sequence[float]) -> float:
    return sum(map(float, values)) / len(values)


def escape(smallest: Arm, full: Arm) -> Verdict:
    """ESCAPE_RULE."""
    if smallest.interval[1] < 0.5 or full.interval[0] > 0.5:
        return Verdict.NOT_SUPPORTED
    if smallest.interval[0] > 0.5 and full.interval[1] < 0.5:
        return Verdict.SUPPORTED
    return Verdict.UNDECIDED


def all_above_zero(differences: Sequence[Interval]) -> Verdict:
    """Supported if all intervals lie above 0; not supported if any lies below; else undecided."""
    if any(high < 0 for _, high in differences):
        return Verdict.NOT_SUPPORTED
    if all(low > 0 for low, _ in differences):
        return Verdict.SUPPORTED
    return Verdict.UNDECIDED


def below(intervals: Sequence[tuple[Interval, float]]) -> Verdict:
    """Supported if all intervals are below their limits; not if any is above; else undecided."""
    if any(low > limit for (low, _), limit in intervals):
        return Verdict.NOT_SUPPORTED
    if all(high < limit for (_, high), limit in intervals):
        return Verdict.SUPPORTED
    return Verdict.UNDECIDED
