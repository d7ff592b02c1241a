"""Test that growing the batch does what decaying the lr does, in fewer updates: Smith et al. 2018.

The lesson's problem and first weights. One arm divides the lr at two epochs, one multiplies the
batch there instead, and one does neither, which tells how much the schedule matters at all.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch import Tensor

from engine.experiments.arm_store import ArmStore
from engine.experiments.claims.linear_scaling import load, losses
from engine.experiments.registry import find
from engine.experiments.report import Arm, Report, Verdict
from engine.experiments.stacked import CountedSteps, Data, descend, epoch_batches, place, weights_of
from engine.experiments.trials import Trials
from engine.experiments.verdicts import below, figure, valued
from engine.jobs.messages import ReportProgress
from engine.statistics.intervals import Interval

BATCH: Final = 16
"""The batch in which all arms begin."""
LR: Final = 4.0
EPOCHS: Final = 20
MILESTONES: Final = (10, 15)
"""Epochs after which the lr is divided, or the batch multiplied."""
FACTOR: Final = 5

_RULE: Final = (
    "supported: the 95% interval of the mean gap between the final losses of growing and decaying "
    "lies below the mean gap between decaying and doing neither; not supported: it lies above; "
    "otherwise undecided"
)
_MEANING: Final = {
    Verdict.SUPPORTED: (
        "Growing the batch ends where decaying the lr does, in a fraction of the updates. Noise of "
        "SGD goes with lr ÷ batch, and both schedules lower it alike."
    ),
    Verdict.NOT_SUPPORTED: (
        "Here growing the batch is no substitute for decaying the lr. The losses above show how "
        "far apart the two end."
    ),
    Verdict.UNDECIDED: (
        "The intervals are too wide to decide. More seeds (--seeds) narrow them."
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The batch size and the lr of every epoch."""

    name: str
    is_grown: bool = False
    is_decayed: bool = False

    def batch(self, epoch: int) -> int:
        """Samples in a batch of this epoch, from 1."""
        return BATCH * int(FACTOR ** self._stage(epoch)) if self.is_grown else BATCH

    def lr(self, epoch: int) -> float:
        """The lr in this epoch."""
        return LR / float(FACTOR ** self._stage(epoch)) if self.is_decayed else LR

    def updates(self, n: int) -> int:
        """Updates of the whole training, of n samples an epoch."""
        return sum(math.ceil(n / self.batch(epoch)) for epoch in range(1, EPOCHS + 1))

    @staticmethod
    def _stage(epoch: int) -> int:
        return sum(epoch > milestone for milestone in MILESTONES)


DECAY: Final = BatchPlan("decay lr", is_decayed=True)
GROW: Final = BatchPlan("grow batch", is_grown=True)
NEITHER: Final = BatchPlan("neither")


def run(
    seeds: Sequence[int],
    device: torch.device,
    progress: ReportProgress,
    store: ArmStore | None = None,
) -> Report:
    """Train every seed under the three plans; see engine.experiments.run."""
    device = place(device)
    data, models = load(seeds, device)
    n = data[0].shape[1]
    plans = (DECAY, GROW, NEITHER)
    counter = CountedSteps(progress, sum(plan.updates(n) for plan in plans))
    trials: Trials[Tensor] = Trials(seeds, store)

    def train(plan: BatchPlan) -> Tensor:
        """The loss on all data after the last epoch, (S,)."""
        weights = weights_of(models, device)
        for batch, lr in counter.over(_batches(plan, data, seeds), plan.name):
            descend(weights, losses, batch, lr)
        with torch.no_grad():
            return losses(weights, *data)

    for plan in plans:
        trials.train(plan.name, partial(train, plan), lambda end: [end])
    ends = {
        plan: end[trials.kept] for plan in plans if (end := trials.ends.get(plan.name)) is not None
    }
    gaps = {
        plan: (ends[plan] - ends[DECAY]).abs()
        for plan in (GROW, NEITHER)
        if plan in ends and DECAY in ends
    }
    arms = {plan: _arm(plan, end, gaps.get(plan), n) for plan, end in ends.items()}
    verdict = trials.verdict(lambda: _verdict(arms), [plan.name for plan in plans])
    return trials.complete(_report(verdict, tuple(arms.values()), device))


def _batches(plan: BatchPlan, data: Data, seeds: Sequence[int]) -> Iterator[tuple[Data, float]]:
    for epoch in range(1, EPOCHS + 1):
        for batch in epoch_batches(data, seeds, epoch, plan.batch(epoch)):
            yield batch, plan.lr(epoch)


def _arm(plan: BatchPlan, ends: Tensor, gaps: Tensor | None, n: int) -> Arm:
    """`ends`: the loss on all data after the last epoch. `gaps`: to that of decaying."""
    figures = [figure("updates", [float(plan.updates(n))] * len(ends))]
    if gaps is not None:
        figures.append(figure(f"gap to {DECAY.name}", gaps.tolist()))
    return valued(plan.name, None, ends.tolist(), tuple(figures))


def verdict_of(gap: Interval, without: float) -> Verdict:
    """The rule: the gap of growing to decaying against the gap that doing neither leaves."""
    return below([(gap, without)])


def _gap(arm: Arm) -> tuple[float, Interval]:
    found = next(each for each in arm.figures if each.name.startswith("gap"))
    return found.value, found.interval


def _verdict(arms: Mapping[BatchPlan, Arm]) -> Verdict:
    _, growing = _gap(arms[GROW])
    without, _ = _gap(arms[NEITHER])
    return verdict_of(growing, without)


def _report(verdict: Verdict, arms: tuple[Arm, ...], device: torch.device) -> Report:
    listing = find("grow-batch")
    epochs = " and ".join(map(str, MILESTONES))
    return Report(
        experiment=listing.name,
        claim=listing.claim,
        verdict=verdict,
        rule=_RULE,
        meaning=_MEANING.get(verdict, ""),
        measured="loss on all data after the last epoch, mean over seeds",
        seeds=len(arms[0].per_seed),
        varied=f"after epochs {epochs}: the lr ÷ {FACTOR}, the batch × {FACTOR}, or neither",
        held=(
            "the lesson's problem: 2,000 samples, 10 features, logistic regression; redrawn for "
            "each seed",
            "first weights and the order of each epoch, the same for all arms",
            f"batch {BATCH} and lr {LR:g} at the start, {EPOCHS} epochs of plain SGD, float64",
        ),
        arms=arms,
        source=listing.source,
        device=str(device),
    )
