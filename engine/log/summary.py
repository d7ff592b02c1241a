"""Summary of a variant's log so far: one fold over its records, used by every front end."""

import math
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from engine.log.figures.batch_noise import BatchNoise
from engine.log.figures.epoch_losses import EpochLosses
from engine.log.figures.open_epoch import OpenEpoch
from engine.log.figures.recipe_figures import RecipeFigures
from engine.log.measurements import NoiseScale, SmoothedNoise
from engine.log.reading.latest_worker import AboutWorker, LatestWorker
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Evaluation,
    Measured,
    MeasuringSet,
    Origin,
    Planned,
    Started,
    State,
    StateChanged,
    Validated,
    VariantRemoved,
    WorkerDied,
    WorkerReplaced,
)
from engine.settings import LossAudit, LossAverage, Resolved, VariantSettings


@dataclass(slots=True)
class Tally:
    """The figures of a variant; counters and losses are those of its latest generation."""

    name: str
    settings: VariantSettings
    """The settings in force."""
    n: int = 0
    """Samples in the training set; 0 before the worker has loaded it."""
    model: str = ""
    parameters: int = 0
    average: LossAverage | None = None
    """Quantity that the loss is averaged over; None if it was not logged."""
    audit: LossAudit | None = None
    """Comparison of a batch's loss with the losses of its parts; None if not made."""
    micro_batch: int | None = None
    """Maximum number of samples given to the device at once; None means whole batches."""
    assumed: tuple[str, ...] = ()
    """Columns that the import of the run made up; empty for a run that was trained here."""
    device: str = ""
    threads: int = 0
    state: State = State.STARTING
    detail: str = ""
    traceback: str = ""
    is_usage_error: bool = False
    planned_epochs: int = 0
    pace: float | None = None
    behind: bool = False
    """True while training cannot keep the pace."""
    is_removed: bool = False
    generation: int = 0
    origin: Origin | None = None
    """The point of another generation after which this one began; None for initial weights."""
    epoch: int = 0
    """The epoch of the last batch, from 1; 0 before the first."""
    batches: int = 0
    updates: int = 0
    samples: int = 0
    """Samples trained on."""
    seconds: float = 0.0
    """Training time, excluding pauses, waits for the pace and measurements."""
    recipe: RecipeFigures = field(default_factory=RecipeFigures)
    last_loss: float = math.nan
    epoch_losses: EpochLosses = field(default_factory=EpochLosses)
    """Unweighted mean of the batch losses of each whole epoch, without weightless batches."""
    evaluation: Evaluation | None = None
    """The latest evaluation at the end of an epoch, or before the first epoch."""
    validation: Validated | None = None
    """The latest evaluation on held-out data, at the end of an epoch or within it on request."""
    loss_at_start: float | None = None
    """The full loss before the first batch."""
    peak_memory: int = 0
    """Peak bytes so far; 0 if unknown."""
    is_measuring: bool = True
    """True if the worker measures periodically, false if only on request."""
    noise: Measured | None = None
    """The latest measurement of the noise scale."""
    noise_scale: NoiseScale | None = None
    """The noise scale smoothed over the measurements, with its interval; None before the first."""
    sharpness: Measured | None = None
    """The latest measurement of the sharpness."""
    worker: LatestWorker = field(default_factory=LatestWorker)
    batch_noise: BatchNoise | None = None
    """Folds the noise of the batch losses; None where another figure of it is at hand."""
    _smoother: SmoothedNoise = field(default_factory=SmoothedNoise)
    _last_whole: Evaluation | None = None
    """The latest evaluation with a full loss."""
    _ended_epoch: int = 0
    """The last epoch that is known to be complete."""
    _gap: float = math.nan
    _open_epoch: OpenEpoch = field(default_factory=OpenEpoch)

    def add(self, record: AnyRecord) -> None:
        """Add the next record of the variant's log, or a record about it from the session's log."""
        if self.batch_noise is not None and isinstance(record, Started | Chunk):
            self.batch_noise.add(record)
        match record:
            case Started():
                self._begin(record)
            case Chunk():
                self._count(record)
            case Evaluation():
                self._evaluate(record)
            case Validated():
                self.validation = record
            case Changed():
                self.settings, self.micro_batch = record.settings, record.micro_batch
                self.recipe.lr = None
            case StateChanged() | WorkerDied() | WorkerReplaced() | VariantRemoved():
                self._follow_worker(record)
            case Planned():
                self.planned_epochs, self.pace = record.epochs, record.pace
            case Measured() | MeasuringSet():
                self._note(record)

    @property
    def resolved(self) -> Resolved | None:
        """The settings in force, resolved for the training set; None until its size is known.

        The lr is that of the last update; in a batch warm-up, the batch is as it is now.
        """
        if not self.n:
            return None
        planned = self.planned_epochs * self.n
        resolved, _ = self.settings.resolve_at(self.samples, self.n, planned)
        return resolved if self.recipe.lr is None else replace(resolved, lr=self.recipe.lr)

    @property
    def is_big_batch(self) -> bool | None:
        """True if an update equals that of one large batch.

        With accumulation or micro-batches, the audit of the loss decides; None without one.
        """
        if (now := self.resolved) is None:
            return None
        at_once = min(now.batch_size, self.micro_batch or now.batch_size)
        if at_once == now.batch_size and now.accumulation_steps == 1:
            return True
        return None if self.audit is None else self.audit.is_big_batch

    @property
    def full_loss(self) -> float:
        """Mean loss over all training samples, as last evaluated; NaN before that."""
        return getattr(self._last_whole, "full_loss", math.nan)

    @property
    def full_loss_epoch(self) -> int | None:
        """The epoch at whose end `full_loss` was evaluated; None before the first evaluation."""
        return None if (last := self._last_whole) is None else last.epoch

    @property
    def is_full_loss_old(self) -> bool:
        """True if a later epoch has ended without evaluating the full loss."""
        return (self.full_loss_epoch or 0) < self._ended_epoch

    @property
    def validation_loss(self) -> float:
        """Mean loss over held-out samples at the end of the last evaluated epoch; NaN without."""
        loss = getattr(self.evaluation, "validation_loss", None)
        return math.nan if loss is None else loss

    @property
    def metrics(self) -> dict[str, float]:
        """The problem's metrics on the held-out samples at the end of the last evaluated epoch."""
        return self.evaluation.metrics if self.evaluation else {}

    @property
    def generalisation_gap(self) -> float:
        """Validation loss minus full training loss, with the same weights.

        NaN if either is missing, and for losses that are sums, which grow with the data.
        """
        return math.nan if self.average is not None and self.average.is_sum else self._gap

    @property
    def signal_to_noise(self) -> float:
        """Signal-to-noise of an update at these settings, from the smoothed noise; else NaN."""
        if not (self.noise_scale and (now := self.resolved)):
            return math.nan
        return self.noise_scale.signal_to_noise(now.effective_batch, self.n)

    @property
    def signal_to_noise_interval(self) -> tuple[float, float]:
        """The 95% interval of `signal_to_noise`; NaN without a measurement."""
        if not (self.noise_scale and (now := self.resolved)):
            return math.nan, math.nan
        return self.noise_scale.signal_to_noise_interval(now.effective_batch, self.n)

    @property
    def growth(self) -> float:
        """The last loss on all data, or of the last epoch, ÷ that at the start; NaN if unknown."""
        end, start = self.full_loss if self.full_loss_epoch else self.final_loss, self.loss_at_start
        return end / start if start else math.nan

    @property
    def final_loss(self) -> float:
        """The mean loss of the last whole epoch; NaN before the first."""
        return self.epoch_losses.last

    @property
    def variance(self) -> float:
        """Population variance (ddof 0) of the epoch losses; NaN before the first epoch."""
        return self.epoch_losses.variance

    @property
    def std(self) -> float:
        return math.sqrt(self.variance)

    def _begin(self, record: Started) -> None:
        self.generation, self.settings, self.n = record.generation, record.settings, record.n
        self.model, self.parameters = record.model, record.parameters
        self.average, self.audit, self.assumed = record.average, record.audit, record.assumed
        self.micro_batch = record.micro_batch
        self.device, self.threads = record.device, record.threads
        self.planned_epochs, self.pace, self.behind = record.epochs, record.pace, False
        self.epoch = self.batches = self.updates = self.samples = 0
        self.seconds, self.last_loss = 0.0, math.nan
        self.epoch_losses, self.evaluation, self.validation = EpochLosses(), None, None
        self.loss_at_start = self._last_whole = None
        self.peak_memory, self._gap, self._ended_epoch = 0, math.nan, 0
        self._open_epoch, self.recipe = OpenEpoch(), RecipeFigures()
        self.noise = self.sharpness = self.noise_scale = None
        self._smoother, self.origin = SmoothedNoise(), record.origin
        if (origin := self.origin) is None:
            return
        self.epoch, self.batches, self.updates = origin.epoch, origin.batches, origin.updates
        self.samples, self.seconds = origin.samples, origin.seconds
        self.loss_at_start, self._ended_epoch = origin.loss_at_start, origin.whole_epochs
        self.epoch_losses, self._open_epoch = EpochLosses.after(origin), OpenEpoch.after(origin)
        self.recipe = RecipeFigures(_updates=origin.updates)

    def _follow_worker(self, record: AboutWorker) -> None:
        worker = self.worker
        worker.add(record)
        self.state, self.detail, self.traceback = worker.state, worker.detail, worker.traceback
        self.is_usage_error, self.is_removed = worker.is_usage_error, worker.is_removed

    def _note(self, record: Measured | MeasuringSet) -> None:
        if isinstance(record, MeasuringSet):
            self.is_measuring = record.is_on
        elif record.generation == self.generation:
            self.sharpness = record if record.sharpness else self.sharpness
            if record.noise is not None:
                self.noise, self.noise_scale = record, self._smoother.add(record.noise)

    @np.errstate(invalid="ignore")  # infinities of either sign
    def _count(self, chunk: Chunk) -> None:
        losses = np.frombuffer(chunk.losses, "<f4")
        if (self.evaluation or self.origin) and chunk.epoch > self._open_epoch.number:
            self._close_epoch(self._open_epoch.number)  # it was not evaluated
        self.epoch = self._open_epoch.number = chunk.last_epoch
        self.batches = chunk.batch - 1 + chunk.batches
        self.updates = (
            chunk.last_update
            if chunk.epochs > 1
            else chunk.update - 1 + (chunk.in_update + chunk.batches) // chunk.accumulation_steps
        )
        self.recipe.add(chunk, self.updates, is_clipped=self.settings.clip is not None)
        self.samples = chunk.end_samples
        self.seconds = chunk.seconds + chunk.duration
        self.behind = chunk.behind
        if len(losses) - 1 not in chunk.weightless:
            self.last_loss = float(losses[-1])
        self.peak_memory = max(self.peak_memory, chunk.peak_memory)
        if chunk.epochs > 1:
            self.epoch_losses.add(losses.reshape(chunk.epochs, -1).mean(axis=1, dtype=np.float64))
            self._ended_epoch = chunk.last_epoch
            return
        self._open_epoch.add(losses, len(chunk.weightless))

    def _close_epoch(self, number: int) -> None:
        if len(mean := self._open_epoch.close()):
            self.epoch_losses.add(mean)
        self._ended_epoch = max(self._ended_epoch, number)

    def _evaluate(self, record: Evaluation) -> None:
        if not record.epoch:
            self.loss_at_start = record.training_loss
        self._close_epoch(record.epoch)
        self.updates, self.evaluation = record.updates, record
        held_out, full_loss = record.validation_loss, record.full_loss
        self.validation = record.validated or self.validation
        if full_loss is not None:
            self._last_whole = record
            if held_out is not None:
                self._gap = held_out - full_loss
