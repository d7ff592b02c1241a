"""The records of one variant, by its worker; the losses are in engine/log/records/chunk.py."""

import msgspec

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records.base import Record
from engine.log.records.state import State
from engine.settings import VariantSettings


class Started(Record, frozen=True, kw_only=True):
    """A generation begins, at batch 0."""

    generation: int
    """Counts from 1; a restart begins the next one."""
    settings: VariantSettings
    n: int
    """Samples in the training set."""
    model: str
    """The model in short, e.g. "Linear(10,1)"."""
    parameters: int
    device: str
    threads: int
    epochs: int
    """Planned epochs."""
    pace: float | None
    command: int = 0
    """The id of the command that this confirms; 0 for none."""


class Evaluation(Record, frozen=True, kw_only=True):
    """The model measured at one epoch's end (epoch 0: before the first update)."""

    generation: int
    epoch: int
    batches: int
    updates: int
    samples: int
    seconds: float
    full_loss: float | None
    """Mean loss over all training samples, in eval mode.

    None where it was left out to save time.
    """
    validation_loss: float | None = None
    """Likewise over the held-out samples, at the same weights; None without any."""
    metrics: dict[str, float] = msgspec.field(default_factory=dict)
    """The problem's metrics on the held-out samples, by name."""


class Validated(Record, frozen=True, kw_only=True):
    """The model measured on held-out samples between two epochs' ends, at the user's request."""

    generation: int
    epoch: int
    batches: int
    updates: int
    samples: int
    seconds: float
    loss: float
    metrics: dict[str, float] = msgspec.field(default_factory=dict)


class Changed(Record, frozen=True, kw_only=True):
    """Other settings are in force from batch `batch` on, the first of update `update`."""

    generation: int
    settings: VariantSettings
    epoch: int
    batch: int
    update: int
    samples: int
    seconds: float
    note: str = ""
    """A further note to the user: the optimiser's state was cleared, for example."""
    command: int = 0


class Refused(Record, frozen=True, kw_only=True):
    """A command that could not be obeyed; the settings in force stay."""

    detail: str
    command: int


class StateChanged(Record, frozen=True, kw_only=True):
    """The variant does something else now."""

    generation: int
    state: State
    detail: str = ""
    """One sentence for the panel."""
    traceback: str = ""
    is_usage_error: bool = msgspec.field(default=False, name="is_wrong_call")
    """The user asked for what cannot be: a device, an optimiser; nothing broke."""
    command: int = 0


class Planned(Record, frozen=True, kw_only=True):
    """The number of epochs or the pace is another one from here on."""

    epochs: int
    pace: float | None
    command: int


class Measured(Record, frozen=True, kw_only=True):
    """Noise scale or sharpness, measured at the weights before update `updates` + 1."""

    generation: int
    epoch: int
    updates: int
    samples: int
    seconds: float
    effective_batch: int
    """The effective batch in force at that time."""
    lr: float
    """The lr in force at that time."""
    edge: float | None
    """The sharpness beyond which full-batch steps grow.

    None where the optimiser has no such bound.
    """
    noise: NoiseScale | None = None
    sharpness: Sharpness | None = None
    cost: float
    """Seconds that it took; no part of any training time."""
    command: int = 0


class MeasuringSet(Record, frozen=True, kw_only=True):
    """Measuring is switched: now and then from here on, or only on request."""

    is_on: bool
    detail: str = ""
    """The reason when it was switched off without a request."""
    command: int = 0


class End(Record, frozen=True, kw_only=True):
    """The log is complete: nothing follows, and nothing is missing."""
