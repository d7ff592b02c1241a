"""The records of one variant, by its worker; the losses are in engine/log/records/chunk.py."""

import msgspec

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records.base import Record
from engine.log.records.state import State
from engine.settings import LossAudit, LossAverage, VariantSettings
from engine.settings.ranges import Count, Identifier, Metrics, Ordinal, Pace, Rate, Seconds
from engine.settings.text import Lines


class Started(Record, frozen=True, kw_only=True):
    """A generation begins, at batch 0."""

    generation: Ordinal
    """Counts from 1; a restart begins the next one."""
    settings: VariantSettings
    n: Ordinal
    """Samples in the training set."""
    model: str
    """The model in short, e.g. "Linear(10,1)"."""
    parameters: Count
    device: str
    threads: Count
    epochs: Ordinal
    """Planned epochs."""
    pace: Pace | None
    average: LossAverage | None = None
    """Quantity that the loss is averaged over; None where that was not logged."""
    audit: LossAudit | None = None
    """Comparison of the loss with that of its parts; None where none was made."""
    micro_batch: Ordinal | None = None
    """Samples given to the device at once, at most; None: whole batches."""
    command: Identifier = 0
    """The id of the command that this confirms; 0 for none."""


class Evaluation(Record, frozen=True, kw_only=True):
    """The model measured at one epoch's end (epoch 0: before the first update)."""

    generation: Ordinal
    epoch: Count
    batches: Count
    updates: Count
    samples: Count
    seconds: Seconds
    full_loss: float | None
    """Mean loss over all training samples, in eval mode.

    None where it was left out to save time.
    """
    validation_loss: float | None = None
    """Likewise over the held-out samples, at the same weights; None without any."""
    metrics: Metrics = msgspec.field(default_factory=dict)
    """The problem's metrics on the held-out samples, by name."""


class Validated(Record, frozen=True, kw_only=True):
    """The model measured on held-out samples between two epochs' ends, at the user's request."""

    generation: Ordinal
    epoch: Count
    batches: Count
    updates: Count
    samples: Count
    seconds: Seconds
    loss: float
    metrics: Metrics = msgspec.field(default_factory=dict)


class Changed(Record, frozen=True, kw_only=True):
    """Other settings are in force from batch `batch` on, the first of update `update`."""

    generation: Ordinal
    settings: VariantSettings
    epoch: Count
    batch: Ordinal
    update: Ordinal
    samples: Count
    seconds: Seconds
    note: str = ""
    """A further note to the user: the optimiser's state was cleared, for example."""
    micro_batch: Ordinal | None = None
    """Samples given to the device at once from here on, at most; None: whole batches."""
    command: Identifier = 0


class Refused(Record, frozen=True, kw_only=True):
    """A command that could not be obeyed; the settings in force stay."""

    detail: str
    command: Identifier


class StateChanged(Record, frozen=True, kw_only=True):
    """The variant does something else now."""

    generation: Count
    state: State
    detail: str = ""
    """One sentence for the panel."""
    traceback: Lines = ""
    is_usage_error: bool = msgspec.field(default=False, name="is_wrong_call")
    """The user asked for what cannot be: a device, an optimiser; nothing broke."""
    command: Identifier = 0
    worker: Identifier = 0
    """The number of the process that writes: 1, then one more for each that replaces a dead one.

    0: unknown.
    """
    heard: Identifier = 0
    """The id of the last command that it had taken by then; 0: none, or unknown."""


class Planned(Record, frozen=True, kw_only=True):
    """The number of epochs or the pace is another one from here on."""

    epochs: Ordinal
    pace: Pace | None
    command: Identifier


class Measured(Record, frozen=True, kw_only=True):
    """Noise scale or sharpness, measured at the weights before update `updates` + 1."""

    generation: Ordinal
    epoch: Count
    updates: Count
    samples: Count
    seconds: Seconds
    effective_batch: Ordinal
    """The effective batch in force at that time."""
    lr: Rate
    """The lr in force at that time."""
    edge: float | None
    """The sharpness beyond which full-batch steps grow.

    None where the optimiser has no such bound.
    """
    noise: NoiseScale | None = None
    sharpness: Sharpness | None = None
    cost: Seconds
    """Seconds that it took; no part of any training time."""
    command: Identifier = 0


class MeasuringSet(Record, frozen=True, kw_only=True):
    """Measuring is switched: now and then from here on, or only on request."""

    is_on: bool
    detail: str = ""
    """The reason when it was switched off without a request."""
    command: Identifier = 0


class End(Record, frozen=True, kw_only=True):
    """The log is complete: nothing follows, and nothing is missing."""
