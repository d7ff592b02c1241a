"""The records that a worker writes, except the losses, which are in engine/log/records/chunk.py."""

from typing import Final

import msgspec

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records.base import Record
from engine.log.records.origin import Origin
from engine.log.records.state import State
from engine.settings import LossAudit, LossAverage, VariantSettings
from engine.settings.ranges import (
    Count,
    ExitStatus,
    Identifier,
    Metrics,
    Ordinal,
    Pace,
    Rate,
    Seconds,
)
from engine.settings.text import Lines

SCRIPT: Final = "script"
"""Stands for the model's name in the log of a user's own loop or Trainer."""


class Started(Record, frozen=True, kw_only=True):
    """A generation begins, at the initial weights or after a point of another generation."""

    generation: Ordinal
    """The generation's number, from 1; a restart or rewind begins the next generation."""
    settings: VariantSettings
    n: Ordinal
    """Samples in the training set."""
    model: str
    """Short description of the model, e.g. "Linear(10,1)"."""
    parameters: Count
    device: str
    device_note: str = ""
    """Why it is this device, if the user may have expected another one."""
    threads: Count
    epochs: Ordinal
    """Planned epochs."""
    pace: Pace | None
    average: LossAverage | None = None
    """Quantity that the loss is averaged over; None if it was not logged."""
    audit: LossAudit | None = None
    """Comparison of a batch's loss with the losses of its parts; None if not made."""
    micro_batch: Ordinal | None = None
    """Maximum number of samples given to the device at once; None means whole batches."""
    command: Identifier = 0
    """The id of the command that this record confirms; 0 for none."""
    assumed: tuple[str, ...] = ()
    """Columns of a CSV that an import had to make up: figures that nobody measured or chose.

    The same for a script; "planned_epochs" if it has not said how many it trains.
    """
    origin: Origin | None = None
    """The point of another generation after which this one begins; None for initial weights."""


class Evaluation(Record, frozen=True, kw_only=True):
    """The model measured at the end of an epoch; epoch 0 means before the first update."""

    generation: Ordinal
    epoch: Count
    batches: Count
    updates: Count
    samples: Count
    seconds: Seconds
    full_loss: float | None
    """Mean loss over all training samples, in eval mode; None if skipped to save time."""
    part_loss: float | None = None
    """Mean loss over a random part of the training samples, which stands for a full loss."""
    part_samples: Count = 0
    """Number of samples in that part."""
    validation_loss: float | None = None
    """Mean loss over the held-out samples at the same weights; None if there are none."""
    metrics: Metrics = msgspec.field(default_factory=dict)
    """The problem's metrics on the held-out samples, by name."""

    @property
    def validated(self) -> "Validated | None":
        """The held-out loss in the form of the measurements between epochs' ends; None without."""
        if self.validation_loss is None:
            return None
        return Validated(
            generation=self.generation,
            epoch=self.epoch,
            batches=self.batches,
            updates=self.updates,
            samples=self.samples,
            seconds=self.seconds,
            loss=self.validation_loss,
            metrics=self.metrics,
            wall_time=self.wall_time,
        )

    @property
    def training_loss(self) -> float | None:
        """The loss on all training data, or else on a part of them; None if neither was taken."""
        return self.part_loss if self.full_loss is None else self.full_loss


class Validated(Record, frozen=True, kw_only=True):
    """The model measured on held-out samples within an epoch, at the user's request."""

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
    """A note for the user, for example that the optimiser's state was cleared."""
    micro_batch: Ordinal | None = None
    """Maximum number of samples given to the device at once from here on; None means whole batches.
    """
    command: Identifier = 0


class Refused(Record, frozen=True, kw_only=True):
    """A command could not be obeyed; the settings in force stay."""

    detail: str
    command: Identifier


class StateChanged(Record, frozen=True, kw_only=True):
    """The variant entered another state."""

    generation: Count
    state: State
    detail: str = ""
    """One sentence for the panel."""
    traceback: Lines = ""
    is_usage_error: bool = msgspec.field(default=False, name="is_wrong_call")
    """True if the user asked for something impossible, such as a missing device; nothing broke."""
    command: Identifier = 0
    worker: Identifier = 0
    """The number of the worker that wrote this: 1 for the first, plus 1 for each replacement.

    0 if unknown.
    """
    heard: Identifier = 0
    """The id of the last command that the worker had received by then; 0 for none or unknown."""
    exit_status: ExitStatus | None = None
    """How the program of the run has ended, whose losses were read; None for any other state."""


class Planned(Record, frozen=True, kw_only=True):
    """The planned number of epochs or the pace changed."""

    epochs: Ordinal
    pace: Pace | None
    command: Identifier


class Measured(Record, frozen=True, kw_only=True):
    """Noise scale or sharpness, measured with the weights after update `updates`."""

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
    """The sharpness beyond which full-batch steps grow; None if the optimiser has no such bound."""
    noise: NoiseScale | None = None
    sharpness: Sharpness | None = None
    cost: Seconds
    """Duration of the measurement in seconds, which no training time includes."""
    command: Identifier = 0


class MeasuringSet(Record, frozen=True, kw_only=True):
    """The worker now measures periodically, or only on request."""

    is_on: bool
    detail: str = ""
    """The reason, if the worker switched measuring off without a request."""
    command: Identifier = 0


class Resumed(Record, frozen=True, kw_only=True):
    """A worker goes on with a training from its last loss, or from its origin, exactly.

    The batches between `checkpoint` and `batches` were trained again; their losses are recorded
    once, perhaps in the generation of the origin.
    """

    generation: Ordinal
    batches: Count
    """Batches done: those that the log held."""
    checkpoint: Count
    """Batches done at the checkpoint from which the training was repeated; 0 for the start."""
    differing: Count = 0
    """Batches trained again with another loss than before: on a GPU, or after the code changed."""
    refused: tuple[str, ...] = ()
    """Checkpoints that could not be used, each with its file and the reason."""
    not_compiled: str = ""
    """Why the eager step repeated batches that a compiled step had trained; "" if it did not."""


class End(Record, frozen=True, kw_only=True):
    """The log is complete: nothing follows, and nothing is missing."""
