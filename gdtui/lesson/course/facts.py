"""LessonFacts that the lesson judges by: a frozen picture of the run and of what the user did.

Taken from the store; knows no widget.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.log.records import State
from engine.settings import LrScaling, VariantSettings
from engine.statistics.folding import distance
from gdtui.history.storage.kept_points import KeptPoints
from gdtui.state.store import Store
from gdtui.state.variant import VariantState

_MOST: Final = 512
"""Maximum number of losses on all data that are kept of a generation, the newest."""
SYNTHETIC: Final = "synthetic"
"""The lesson's problem."""

EpochEnds = tuple[tuple[int, float], ...]
"""Losses on all data at the ends of epochs, each after the samples trained on by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFacts:
    """One variant, at one moment."""

    name: str
    settings: VariantSettings
    n: int
    """Training samples; 0 before they are loaded."""
    generation: int
    state: State
    epoch: int
    samples: int
    updates: int
    batch: int
    """Batch size in force, as a number."""
    effective_batch: int
    lr: float
    """The lr in force."""
    full_loss: float
    full_loss_epoch: int | None
    growth: float
    """The last loss on all data ÷ that at the start."""
    is_running_away: bool
    sigma: float
    """Noise of the batch losses over the last epoch; NaN for the full batch."""
    is_sigma_mixed: bool
    """True if σ includes batches of earlier settings."""
    losses: EpochEnds
    ghost: EpochEnds
    """The same of the previous generation."""
    changed_at: int | None
    """Samples at the last change of settings in this generation; None without a change."""
    sharpness: float
    """The last reliable λ; NaN if there is none."""
    sharpness_at: int
    """Samples when it was measured."""
    peak_memory: int

    @property
    def edge(self) -> float:
        """2 (1 + momentum) ÷ lr: the λ beyond which full-batch steps grow."""
        return 2 * (1 + self.settings.momentum) / self.lr if self.lr else math.nan

    @property
    def has_ended(self) -> bool:
        return self.state.is_ended

    @property
    def common_ends(self) -> list[tuple[float, float]]:
        """The losses of this and the previous generation after equal samples, but for the start."""
        before = dict(self.ghost)
        return [(loss, before[at]) for at, loss in self.losses if at and at in before]

    @property
    def ghost_distance(self) -> float:
        """The largest difference between the losses of both generations; NaN if none is common."""
        return max((abs(now - before) for now, before in self.common_ends), default=math.nan)

    @property
    def losses_since_change(self) -> list[float]:
        """The losses on all data at the ends of epochs since the last change of settings."""
        return [loss for at, loss in self.losses if at >= (self.changed_at or 0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonFacts:
    """Everything that the lesson knows, at one moment."""

    problem: str
    planned_epochs: int
    variants: tuple[VariantFacts, ...]
    choices: int = 0
    """Number of times that the user chose a variant by its number."""
    choice: int | None = None
    """The last one chosen, from 1."""
    opened: tuple[str, ...] = ()
    """Names of the pages opened so far, in order."""
    results: Mapping[str, Any] = field(default_factory=dict)
    """Results of experiments and sweeps, by name."""

    @property
    def has_ended(self) -> bool:
        return all(one.has_ended for one in self.variants)

    @property
    def is_lesson_run(self) -> bool:
        """True for the lesson's three variants on its problem."""
        return self.problem == SYNTHETIC and len(self.variants) == 3

    @property
    def rules(self) -> frozenset[LrScaling]:
        return frozenset(one.settings.lr_scaling for one in self.variants)

    @property
    def distance(self) -> float:
        """Distance between the losses on all data after the same epochs; NaN if there is none."""
        epochs = {one.full_loss_epoch for one in self.variants}
        losses = [one.full_loss for one in self.variants]
        is_known = len(epochs) == 1 and all(map(math.isfinite, losses))
        return distance(losses) if is_known else math.nan


def variant_facts(one: VariantState) -> VariantFacts:
    """The facts about one variant."""
    tally, current = one.tally, one.current
    force = tally.resolved
    found = tally.sharpness.sharpness if tally.sharpness else None
    changes = current.changes if current else []
    return VariantFacts(
        name=tally.name,
        settings=tally.settings,
        n=tally.n,
        generation=tally.generation,
        state=tally.state,
        epoch=tally.epoch,
        samples=tally.samples,
        updates=tally.updates,
        batch=force.batch_size if force else 0,
        effective_batch=force.effective_batch if force else 0,
        lr=force.lr if force else math.nan,
        full_loss=tally.full_loss,
        full_loss_epoch=tally.full_loss_epoch,
        growth=tally.growth,
        is_running_away=one.has_run_away,
        sigma=one.spread,
        is_sigma_mixed=one.is_spread_mixed,
        losses=_ends(current.evaluations) if current else (),
        ghost=_ends(one.ghost.evaluations) if one.ghost else (),
        changed_at=changes[-1].samples if changes else None,
        sharpness=found.value if found is not None and found.is_reliable else math.nan,
        sharpness_at=tally.sharpness.samples if tally.sharpness else 0,
        peak_memory=tally.peak_memory,
    )


def facts_of(store: Store, **of_user: Any) -> LessonFacts:
    """The facts of a run; `of_user`: the fields that the store does not know."""
    return LessonFacts(
        problem=store.settings.problem,
        planned_epochs=store.settings.epochs,
        variants=tuple(map(variant_facts, store.states)),
        **of_user,
    )


def _ends(points: KeptPoints) -> EpochEnds:
    return tuple((int(row[0]), float(row[3])) for row in points.values[-_MOST:])
