"""Facts for the lesson's state machine, written by hand instead of taken from a run."""

import math
from dataclasses import replace
from typing import Any

from engine.log.records import State
from engine.settings import DEFAULT_BATCH_SIZES, LrScaling, VariantSettings, default_names
from gdtui.lesson.course.facts import SYNTHETIC, LessonFacts, VariantFacts

N = 2000
LOSSES = (0.624, 0.330, 0.078)


def variant(place: int, **different: Any) -> VariantFacts:
    """One of the lesson's variants, after its 20 epochs."""
    settings = VariantSettings(batch_size=DEFAULT_BATCH_SIZES[place])
    now = settings.resolve(N)
    given: dict[str, Any] = {
        "name": default_names(DEFAULT_BATCH_SIZES)[place],
        "settings": settings,
        "n": N,
        "generation": 1,
        "state": State.FINISHED,
        "epoch": 20,
        "samples": 20 * N,
        "updates": 20 * math.ceil(N / now.effective_batch),
        "batch": now.batch_size,
        "effective_batch": now.effective_batch,
        "lr": now.lr,
        "full_loss": LOSSES[place],
        "full_loss_epoch": 20,
        "growth": LOSSES[place] / 0.8,
        "is_running_away": False,
        "sigma": math.nan if place == 0 else 0.3 / math.sqrt(now.batch_size),
        "is_sigma_mixed": False,
        "losses": ((0, 0.8), (20 * N, LOSSES[place])),
        "ghost": (),
        "changed_at": None,
        "sharpness": math.nan,
        "sharpness_at": 0,
        "peak_memory": 0,
    }
    return VariantFacts(**(given | different))


def facts(*variants: VariantFacts, **different: Any) -> LessonFacts:
    """The lesson's run at its end, with these variants in place of its own."""
    given = variants or tuple(variant(place) for place in range(3))
    return LessonFacts(problem=SYNTHETIC, planned_epochs=20, variants=given, **different)


def each(now: LessonFacts, **different: Any) -> LessonFacts:
    """These facts with fields of all variants replaced."""
    return replace(now, variants=tuple(replace(one, **different) for one in now.variants))


def under(now: LessonFacts, rule: LrScaling) -> LessonFacts:
    """These facts with all variants under this rule of scaling."""
    settings = [VariantSettings(batch_size=size, lr_scaling=rule) for size in DEFAULT_BATCH_SIZES]
    pairs = zip(now.variants, settings, strict=True)
    return replace(now, variants=tuple(replace(one, settings=new) for one, new in pairs))
