"""The kinds of deeds that the lesson waits for, each with the test of its being done. Pure.

A deed is judged by the facts now and those when the lesson began to wait for it.
"""

import math
from itertools import pairwise
from typing import Final, Literal

import msgspec

from engine.experiments.report import Report, Verdict
from engine.settings import LrScaling
from engine.statistics.folding import FOLDED
from engine.sweep.table import Sweep
from gdtui.lesson.course.facts import LessonFacts, VariantFacts

_FAR: Final = 1.25
"""A ratio of noises further than this from the law counts as another one."""
_SAME: Final = 1e-4
"""Losses on all data closer than this are the same, but for rounding in float32."""

Page = Literal["code", "experiments", "explain", "landscape", "sweep", "tables", "trends"]
"""The pages that keys open over the main screen."""


class Deed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """Something that the user does, or lets happen."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        """True once it is done; `begun`: the facts when the lesson began to wait."""
        raise NotImplementedError

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        """True if what was measured bears out what the lesson says of it."""
        return True


class ChooseVariant(Deed, frozen=True, kw_only=True, tag="choose"):
    """Choosing a variant by its number; a bet, or an answer to a question."""

    right: int | None = None
    """The number that answers the question; None: any is fine."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        if now.choices == begun.choices or not now.choice:
            return False
        return not self.is_wrong(now.choice)

    def is_wrong(self, choice: int) -> bool:
        """True for a number that does not answer the question."""
        return self.right not in (None, choice)


class FinishTraining(Deed, frozen=True, kw_only=True, tag="finish"):
    """Letting all variants train to their end."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        return now.has_ended

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        full, *others = now.variants
        is_last = all(full.full_loss > one.full_loss for one in others)
        return is_last and now.rules == {LrScaling.NONE}


class FoldCurves(Deed, frozen=True, kw_only=True, tag="fold"):
    """Restarting all with linear scaling, and letting them train to their end."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        is_linear = (
            now.rules == {LrScaling.LINEAR} and now.distance == now.distance
        )  # NaN: not comparable
        is_fair = all(one.changed_at is None for one in now.variants)
        return now.has_ended and is_linear and is_fair

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        return now.distance <= FOLDED


class GrowBatch(Deed, frozen=True, kw_only=True, tag="grow-batch"):
    """Doubling a batch size several times, then training an epoch with it."""

    times: int

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        before, after = raised(now, begun)
        is_measured = not after.is_sigma_mixed and math.isfinite(after.sigma)
        return after.batch >= before.batch << self.times and is_measured

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        before, after = raised(now, begun)
        law = math.sqrt(after.batch / before.batch)
        return law / _FAR < before.sigma / after.sigma < law * _FAR


class BreakEdge(Deed, frozen=True, kw_only=True, tag="break"):
    """Raising the lr past the edge of stability until the loss has grown above its start."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        one = now.variants[0]
        return one.sharpness > one.edge and (one.growth > 1 or one.is_running_away)


class RaiseLr(Deed, frozen=True, kw_only=True, tag="raise-lr"):
    """Raising the full batch's lr in force, then training on and measuring the curvature."""

    lr: float
    """The least lr."""
    epochs: int

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        one = now.variants[0]
        is_known = one.sharpness_at > (one.changed_at or 0) and one.sharpness == one.sharpness
        return one.lr >= self.lr and len(one.losses_since_change) > self.epochs and is_known

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        losses = now.variants[0].losses_since_change
        return all(after <= before for before, after in pairwise(losses))


class AccumulateInstead(Deed, frozen=True, kw_only=True, tag="accumulate"):
    """Restarting a variant that accumulates what was one batch before."""

    epochs: int

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        one = restarted(now, begun)
        enough = min(self.epochs, now.planned_epochs)
        return (
            one is not None
            and one.settings.accumulation_steps > 1
            and len(one.common_ends) >= enough
        )

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        one = restarted(now, begun)
        return one is not None and one.ghost_distance < _SAME


class AddMomentum(Deed, frozen=True, kw_only=True, tag="momentum"):
    """Restarting a variant with momentum."""

    epochs: int

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        one = restarted(now, begun)
        enough = min(self.epochs, now.planned_epochs)
        return one is not None and one.settings.momentum > 0 and len(one.common_ends) >= enough

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        one = restarted(now, begun)
        return one is not None and one.common_ends[-1][0] < one.common_ends[-1][1]


class DropLastBatch(Deed, frozen=True, kw_only=True, tag="drop-last"):
    """Dropping the incomplete last batch of a variant."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        return any(one.settings.drop_last for one in now.variants)


class RunExperiment(Deed, frozen=True, kw_only=True, tag="experiment"):
    """Running an experiment."""

    name: str

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        return isinstance(now.results.get(self.name), Report)

    def bears_out(self, now: LessonFacts, begun: LessonFacts) -> bool:
        return now.results[self.name].verdict is Verdict.SUPPORTED


class MeasureTable(Deed, frozen=True, kw_only=True, tag="sweep"):
    """Measuring the trade-off table."""

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        found = now.results.get("sweep")
        return isinstance(found, Sweep) and found.recommendation is not None


class OpenPage(Deed, frozen=True, kw_only=True, tag="open"):
    """Opening a page."""

    page: Page

    def is_done(self, now: LessonFacts, begun: LessonFacts) -> bool:
        return self.page in now.opened[len(begun.opened) :]


AnyDeed = (
    ChooseVariant
    | FinishTraining
    | FoldCurves
    | GrowBatch
    | BreakEdge
    | RaiseLr
    | AccumulateInstead
    | AddMomentum
    | DropLastBatch
    | RunExperiment
    | MeasureTable
    | OpenPage
)


def raised(now: LessonFacts, begun: LessonFacts) -> tuple[VariantFacts, VariantFacts]:
    """The variant whose batch grew most since the lesson began to wait: before and now."""
    pairs = zip(begun.variants, now.variants, strict=True)
    return max(pairs, key=lambda pair: pair[1].batch / max(pair[0].batch, 1))


def restarted(now: LessonFacts, begun: LessonFacts) -> VariantFacts | None:
    """The variant restarted since then whose settings did not change after that; None if none."""
    pairs = zip(begun.variants, now.variants, strict=True)
    found = [
        after
        for before, after in pairs
        if after.generation > before.generation and after.changed_at is None
    ]
    return max(found, key=lambda one: len(one.common_ends), default=None)
