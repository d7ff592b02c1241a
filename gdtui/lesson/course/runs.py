"""The runs that the lesson trains: its own three variants, and the quadratic of one step."""

from typing import Any, Final

from engine.settings import (
    DEFAULT_BATCH_SIZES,
    FULL,
    RunSettings,
    Variant,
    VariantSettings,
    default_names,
)

_QUADRATIC_EPOCHS: Final = 120
_QUADRATIC_PACE: Final = 4.0
_QUADRATIC_LR: Final = 0.02


def lesson_run(**given: Any) -> RunSettings:
    """Full batch, 64 and 1 on the lesson's problem."""
    pairs = zip(default_names(DEFAULT_BATCH_SIZES), DEFAULT_BATCH_SIZES, strict=True)
    variants = tuple(
        Variant(name=name, settings=VariantSettings(batch_size=size)) for name, size in pairs
    )
    return RunSettings(variants=variants, **given)


def quadratic_run(lesson: RunSettings) -> RunSettings:
    """The full batch on a quadratic, below its edge of stability; on the lesson's device."""
    settings = VariantSettings(batch_size=FULL, lr=_QUADRATIC_LR)
    return RunSettings(
        variants=(Variant(name=default_names((FULL,))[0], settings=settings),),
        problem="quadratic",
        epochs=_QUADRATIC_EPOCHS,
        pace=_QUADRATIC_PACE,
        seed=lesson.seed,
        device=lesson.device_of(0),
        threads=lesson.threads,
    )
