"""Settings: the training configuration of a variant, of a whole run, and the lr-scaling rules.

Everything here is a frozen, validated value. The worker validates what only torch knows: devices
and the names of optimisers.
"""

from engine.settings.basics import FULL, MOST, BatchSize, SettingsError, parse_batch_size
from engine.settings.data_reading import MOST_NAMED, ClassCount, DataReading, LeftOut
from engine.settings.loss import LossAudit, LossAverage, LossKind
from engine.settings.optimizer import ParsedOptimizer, parse_optimizer
from engine.settings.recipe import LrSchedule, Precision, in_samples
from engine.settings.run import (
    MOST_HELD_OUT,
    VALIDATION_SHARE,
    Compilation,
    DataOn,
    DataSettings,
    RunSettings,
)
from engine.settings.variant import (
    DEFAULT_BATCH_SIZES,
    LrScaling,
    Resolved,
    Variant,
    VariantSettings,
    default_names,
)

__all__ = [
    "DEFAULT_BATCH_SIZES",
    "FULL",
    "MOST",
    "MOST_HELD_OUT",
    "MOST_NAMED",
    "VALIDATION_SHARE",
    "BatchSize",
    "ClassCount",
    "Compilation",
    "DataOn",
    "DataReading",
    "DataSettings",
    "LeftOut",
    "LossAudit",
    "LossAverage",
    "LossKind",
    "LrScaling",
    "LrSchedule",
    "ParsedOptimizer",
    "Precision",
    "Resolved",
    "RunSettings",
    "SettingsError",
    "Variant",
    "VariantSettings",
    "default_names",
    "in_samples",
    "parse_batch_size",
    "parse_optimizer",
]
