"""Advice on lr and averages for a batch of another size, for the optimiser at hand. Pure."""

import math
from typing import Final

from engine.settings import LrScaling, VariantSettings
from gdtui.view.text import formatting

_SGD: Final = "sgd"
_SECOND_MOMENT: Final = {
    **dict.fromkeys(("adam", "adamw", "adamax", "nadam", "radam"), ("betas", 0.999)),
    "sparseadam": ("betas", 0.999),
    "rmsprop": ("alpha", 0.99),
    "adadelta": ("rho", 0.9),
}
"""Optimisers that average squared gradients: the argument of the average's decay, torch's default.
"""
_ADAPTIVE: Final = {*_SECOND_MOMENT, "adagrad", "adafactor"}


def second_moment_decay(settings: VariantSettings) -> float | None:
    """β₂: the decay of an optimiser's average of squared gradients; None without one."""
    name, arguments = settings.optimizer_parsed
    if name not in _SECOND_MOMENT:
        return None
    argument, decay = _SECOND_MOMENT[name]
    given = arguments.get(argument, decay)
    if isinstance(given, tuple):
        given = given[1] if len(given) == 2 else None
    return float(given) if isinstance(given, int | float) and 0 < given < 1 else None


def advice(settings: VariantSettings, lr: float, effective_batch: int) -> str:
    """A sentence on what should change with the batch size; `lr`: in force before any schedule."""
    name = settings.optimizer_parsed.name
    if name == _SGD:
        return (
            f"For twice the batch, SGD takes twice the lr, {formatting.rounded(2 * lr)}, as long "
            "as the batch is below the noise scale (linear scaling, Goyal et al. 2017)."
        )
    if name not in _ADAPTIVE:
        return (
            f"No rule for the lr of {name} at another batch size is known well: try a few (sweep)."
        )
    root = formatting.rounded(math.sqrt(2) * lr)
    says = (
        f"For twice the batch, {name} takes √2 times the lr, {root} (square-root scaling, Malladi "
        "et al. 2022)"
    )
    if settings.lr_scaling is LrScaling.LINEAR:
        says += "; the linear rule in force here is that of SGD"
    decay = second_moment_decay(settings)
    if decay is None:
        return says + "."
    half_life = effective_batch * math.log(0.5) / math.log(decay)
    return (
        f"{says}, and β₂ = {formatting.setting(decay**2)} instead of {formatting.setting(decay)}, "
        f"which holds its half-life of {formatting.count(half_life)} samples (Marek et al. 2025)."
    )
