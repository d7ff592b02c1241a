"""Summary of a variant's log so far, as figures: one fold over its records, for every front end."""

import math
from dataclasses import dataclass, field

import numpy as np

from engine.log.measurements import NoiseScale, SmoothedNoise
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Evaluation,
    Measured,
    MeasuringSet,
    Planned,
    Refused,
    Started,
    State,
    StateChanged,
    Validated,
    WorkerDied,
)
from engine.settings import Resolved, VariantSettings


@dataclass(slots=True)
class Tally:
    """The figures of one variant; counters and losses are those of its latest generation."""

    name: str
    settings: VariantSettings
    """The settings in force."""
    n: int = 0
    """Samples in the training set; 0 before the worker has loaded it."""
    model: str = ""
    parameters: int = 0
    device: str = ""
    threads: int = 0
    state: State = State.STARTING
    detail: str = ""
    traceback: str = ""
    is_usage_error: bool = False
    planned_epochs: int = 0
    pace: float | None = None
    behind: bool = False
    """Training cannot keep the pace."""
    generation: int = 0
    epoch: int = 0
    """The epoch of the last batch, from 1; 0 before the first."""
    batches: int = 0
    updates: int = 0
    samples: int = 0
    """Trained on."""
    seconds: float = 0.0
    """Training time, without pauses, waits for the pace and measurements."""
    last_loss: float = math.nan
    epoch_losses: list[float] = field(default_factory=list)
    """Plain mean of the batch losses of each whole epoch."""
    evaluations: list[Evaluation] = field(default_factory=list)
    """One evaluation before the first epoch and one after each."""
    validations: list[Validated] = field(default_factory=list)
    """Held-out evaluations: at the start, at each epoch's end, and between when asked for."""
    peak_memory: int = 0
    """Bytes, the most so far; 0: unknown."""
    is_measuring: bool = True
    """Now and then; else only when asked."""
    noise: Measured | None = None
    """The latest measurement of the noise scale."""
    noise_scale: NoiseScale | None = None
    """Smoothed over the measurements, with the interval of that; None before the first."""
    sharpness: Measured | None = None
    """The latest measurement of the sharpness."""
    _smoother: SmoothedNoise = field(default_factory=SmoothedNoise)
    _state_at: float = 0.0
    _epoch_sum: float = 0.0
    _epoch_batches: int = 0

    def add(self, record: AnyRecord) -> None:
        """Take in the next record of the variant's log, or one of the session's about it."""
        match record:
            case Started():
                self._begin(record)
            case Chunk():
                self._count(record)
            case Evaluation():
                self._close_epoch(record)
            case Validated():
                self.validations.append(record)
            case Changed():
                self.settings = record.settings
            case StateChanged():
                self._state_at = record.wall_time
                self.state, self.detail = record.state, record.detail
                self.traceback, self.is_usage_error = record.traceback, record.is_usage_error
            case Planned():
                self.planned_epochs, self.pace = record.epochs, record.pace
            case Measured() | MeasuringSet():
                self._note(record)
            case WorkerDied() if record.wall_time >= self._state_at:
                # From another log, read late: it may be about a worker that was replaced long ago.
                self.state, self.detail, self.traceback = State.DIED, record.detail, ""
            case Refused() | _:
                pass

    @property
    def resolved(self) -> Resolved | None:
        """The settings in force as they work out on the training set, once its size is known."""
        return self.settings.resolve(self.n) if self.n else None

    @property
    def full_loss(self) -> float:
        """Mean loss over all training samples at the last epoch's end with one; else NaN."""
        loss = None if (last := self._last_whole) is None else last.full_loss
        return math.nan if loss is None else loss

    @property
    def full_loss_epoch(self) -> int | None:
        """The epoch at whose end that was; None before the first."""
        return None if (last := self._last_whole) is None else last.epoch

    @property
    def is_full_loss_old(self) -> bool:
        """Another epoch has ended since, at whose end it was not taken."""
        return bool(self.evaluations) and self.evaluations[-1].full_loss is None

    @property
    def _last_whole(self) -> Evaluation | None:
        return next((one for one in reversed(self.evaluations) if one.full_loss is not None), None)

    @property
    def validation_loss(self) -> float:
        """Mean loss over the held-out samples at the last epoch's end; NaN without any."""
        loss = self.evaluations[-1].validation_loss if self.evaluations else None
        return math.nan if loss is None else loss

    @property
    def metrics(self) -> dict[str, float]:
        """The problem's metrics on the held-out samples at the last epoch's end."""
        return self.evaluations[-1].metrics if self.evaluations else {}

    @property
    def generalisation_gap(self) -> float:
        """Validation minus training loss, both on all data and at the same weights.

        NaN without either.
        """
        taken = ((one.validation_loss, one.full_loss) for one in reversed(self.evaluations))
        return next(
            (held - loss for held, loss in taken if held is not None and loss is not None), math.nan
        )

    @property
    def batch_milliseconds(self) -> float:
        """Training time of a batch, on average; NaN before the first."""
        return 1000 * self.seconds / self.batches if self.batches else math.nan

    @property
    def signal_to_noise(self) -> float:
        """Signal-to-noise of an update at these settings, by the smoothed noise; NaN without."""
        resolved, found = self.resolved, self.noise_scale
        return (
            found.signal_to_noise(resolved.effective_batch, self.n)
            if found and resolved
            else math.nan
        )

    @property
    def is_measured(self) -> bool:
        """Noise scale and sharpness are those of the weights as they are."""
        return all(
            found is not None and found.updates == self.updates
            for found in (self.noise, self.sharpness)
        )

    @property
    def final_loss(self) -> float:
        """The last whole epoch's mean loss; NaN before there is one."""
        return self.epoch_losses[-1] if self.epoch_losses else math.nan

    @property
    def variance(self) -> float:
        """Variance of the epoch losses, as a population (ddof 0); NaN without any."""
        if not all(map(math.isfinite, self.epoch_losses or [math.nan])):
            return math.nan
        return float(np.var(self.epoch_losses))

    @property
    def std(self) -> float:
        """Standard deviation of the epoch losses, as a population (ddof 0)."""
        return math.sqrt(self.variance)

    def _begin(self, record: Started) -> None:
        self.generation, self.settings, self.n = record.generation, record.settings, record.n
        self.model, self.parameters = record.model, record.parameters
        self.device, self.threads = record.device, record.threads
        self.planned_epochs, self.pace, self.behind = record.epochs, record.pace, False
        self.epoch = self.batches = self.updates = self.samples = 0
        self.seconds, self.last_loss = 0.0, math.nan
        self.epoch_losses, self.evaluations, self.validations = [], [], []
        self.peak_memory = 0
        self._epoch_sum, self._epoch_batches = 0.0, 0
        self.noise = self.sharpness = self.noise_scale = None
        self._smoother = SmoothedNoise()

    def _note(self, record: Measured | MeasuringSet) -> None:
        if isinstance(record, MeasuringSet):
            self.is_measuring = record.is_on
        elif record.generation == self.generation:
            self.sharpness = record if record.sharpness else self.sharpness
            if record.noise is not None:
                self.noise, self.noise_scale = record, self._smoother.add(record.noise)

    def _count(self, chunk: Chunk) -> None:
        losses = np.frombuffer(chunk.losses, "<f4")
        self.epoch = chunk.epoch
        self.batches = chunk.batch - 1 + chunk.batches
        self.updates = (
            chunk.update - 1 + (chunk.in_update + chunk.batches) // chunk.accumulation_steps
        )
        self.samples = chunk.end_samples
        self.seconds = chunk.seconds + chunk.duration
        self.behind = chunk.behind
        self.last_loss = float(losses[-1])
        self.peak_memory = max(self.peak_memory, chunk.peak_memory)
        self._epoch_sum += float(losses.sum(dtype=np.float64))
        self._epoch_batches += chunk.batches

    def _close_epoch(self, record: Evaluation) -> None:
        self.evaluations.append(record)
        if record.validation_loss is not None:
            self.validations.append(_validated(record, record.validation_loss))
        self.updates = record.updates
        if self._epoch_batches:
            self.epoch_losses.append(self._epoch_sum / self._epoch_batches)
        self._epoch_sum, self._epoch_batches = 0.0, 0


def _validated(end: Evaluation, loss: float) -> Validated:
    """The held-out loss at an epoch's end, in the form of the measurements between."""
    return Validated(
        generation=end.generation,
        epoch=end.epoch,
        batches=end.batches,
        updates=end.updates,
        samples=end.samples,
        seconds=end.seconds,
        loss=loss,
        metrics=end.metrics,
        wall_time=end.wall_time,
    )
