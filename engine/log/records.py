"""The records in the logs of a run.

`VARIANT.gdlog` holds the records of one worker, `session.gdlog` those that no worker can write.
Counters `batch`, `update` and `epoch` count from 1 and are contiguous in each (variant,
generation); positions (`samples`, `seconds`) are those before.
"""

from enum import StrEnum

import msgspec

from engine.log.commands import AnyCommand
from engine.log.measurements import NoiseScale, Sharpness
from engine.settings import VariantSettings


class State(StrEnum):
    """The state of a variant's training, and the groups of states that decisions are made by.

    STOPPED is an orderly end, on a command. It is therefore not a failure (exit status 0, no error
    reported), yet the variant is cut short like a broken one: it has no result.
    """

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"
    OUT_OF_MEMORY = "out of memory"
    DIED = "died"
    STOPPED = "stopped"

    @property
    def is_active(self) -> bool:
        """True when it trains, or is about to."""
        return self in (State.STARTING, State.RUNNING)

    @property
    def is_ended(self) -> bool:
        """True when it trains no more until told to; not while starting, running or paused."""
        return self not in (State.STARTING, State.RUNNING, State.PAUSED)

    @property
    def is_broken(self) -> bool:
        """True for a variant that failed, ran out of memory or died."""
        return self in (State.FAILED, State.OUT_OF_MEMORY, State.DIED)

    @property
    def is_cut_short(self) -> bool:
        """True when it ended neither by finishing nor by diverging. Obeys nothing but a restart."""
        return self.is_broken or self is State.STOPPED

    @property
    def has_sound_weights(self) -> bool:
        """True when there are weights, and they are worth looking at."""
        return self in (State.RUNNING, State.PAUSED, State.FINISHED)


class Record(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One entry of a log."""

    wall_time: float = 0.0
    """Time of writing, in seconds since the Unix epoch; 0 when unknown."""


# --- Of one variant, by its worker ---------------------------------------------------------------


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


class Chunk(Record, frozen=True, kw_only=True):
    """The losses of some consecutive batches of one epoch under one setting.

    Everything about each batch follows from this header: batch i of the chunk (from 0) is number
    `batch + i`, holds `batch_size` samples (the last one `last_batch_size`), starts at
    `samples + i × batch_size` and contributes to `update + (in_update + i) // accumulation_steps`.
    """

    generation: int
    epoch: int
    batch: int
    """Number of the chunk's first batch."""
    update: int
    """The update to which the first batch contributes."""
    in_update: int
    """Batches of that update already done before this chunk."""
    samples: int
    """Samples trained on before the first batch."""
    seconds: float
    """Training time before the first batch: no pauses, no waits for the pace, no measurements."""
    duration: float
    """Training time that these batches took."""
    batch_size: int
    last_batch_size: int
    accumulation_steps: int
    """Batches behind one update, as resolved."""
    lr: float
    """The lr in force."""
    behind: bool = False
    """True when the variant could not keep the pace."""
    peak_memory: int = 0
    """Peak bytes: CUDA's tensors, what MPS holds, resident memory on the CPU; 0: unknown."""
    losses: bytes
    """Mean loss of each batch before its update: little-endian float32, 4 bytes a batch."""

    @property
    def batches(self) -> int:
        return len(self.losses) // 4

    @property
    def end_samples(self) -> int:
        """Samples trained on after the last batch."""
        return self.samples + (self.batches - 1) * self.batch_size + self.last_batch_size

    @property
    def last_update(self) -> int:
        """The update to which the last batch contributes."""
        return self.update + (self.in_update + self.batches - 1) // self.accumulation_steps


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
    metrics: dict[str, float] = {}
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
    metrics: dict[str, float] = {}


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


# --- Of the session ------------------------------------------------------------------------------


class CommandSent(Record, frozen=True, kw_only=True):
    """A variant was told to do something; pending until a record of its log confirms the id."""

    variant: str
    command: AnyCommand


class WorkerDied(Record, frozen=True, kw_only=True):
    """A worker's pipe ended and nobody had told it to stop."""

    variant: str
    detail: str


class WorkerReplaced(Record, frozen=True, kw_only=True):
    """A new worker goes on with the log of one that died; commands up to `command` died with it."""

    variant: str
    command: int


AnyRecord = (
    Started
    | Chunk
    | Evaluation
    | Validated
    | Changed
    | Refused
    | StateChanged
    | Planned
    | Measured
    | MeasuringSet
    | End
    | CommandSent
    | WorkerDied
    | WorkerReplaced
)
