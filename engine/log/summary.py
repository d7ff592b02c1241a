"""Summary of a variant's log so far: one fold over its records, used by every front end."""

import math
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from engine.log.figures.batch_noise import BatchNoise
from engine.log.figures.epoch_losses import EpochLosses
from engine.log.figures.last_evaluations import LastEvaluations
from engine.log.figures.open_epoch import TrainedEpochs
from engine.log.figures.recipe_figures import RecipeFigures, is_big_batch
from engine.log.measurements import NoiseScale, SmoothedNoise
from engine.log.reading.latest_worker import AboutWorker, LatestWorker
from engine.log.reading.loss_block import LossBlock
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Evaluation,
    Execution,
    Measured,
    MeasuringSet,
    Origin,
    Planned,
    Started,
    State,
    Validated,
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
    epochs: TrainedEpochs = field(default_factory=TrainedEpochs)
    """The epochs of the latest generation."""
    evaluations: LastEvaluations = field(default_factory=LastEvaluations)
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
    execution: Execution | None = None
    """The latest record on the step that computes updates, compiled or eager; None without."""
    worker: LatestWorker = field(default_factory=LatestWorker)
    batch_noise: BatchNoise | None = None
    """Folds the noise of the batch losses; None where another figure of it is at hand."""
    _smoother: SmoothedNoise = field(default_factory=SmoothedNoise)

    def add(self, record: AnyRecord | LossBlock) -> None:
        """Add the next record of the variant's log, or a record about it from the session's log."""
        match record:
            case Started() | Chunk() | LossBlock():
                self._train(record)
            case Evaluation():
                self.epochs.evaluate(record.epoch)
                self.evaluations.add(record)
                self.updates = record.updates
            case Validated():
                self.evaluations.held_out = record
            case Changed():
                self.settings, self.micro_batch = record.settings, record.micro_batch
                self.recipe.lr = None
            case _ if isinstance(record, AboutWorker):
                self._follow_worker(record)
            case Planned():
                self.planned_epochs, self.pace = record.epochs, record.pace
            case Measured() | MeasuringSet() | Execution():
                self._note(record)

    @property
    def resolved(self) -> Resolved | None:
        """The settings in force, resolved for the training set; None until its size is known.

        The lr is that of the last update; in a batch warm-up, the batch is as it is now.
        """
        if not self.n:
            return None
        resolved, _ = self.settings.resolve_at(self.samples, self.n, self.planned_epochs * self.n)
        return resolved if self.recipe.lr is None else replace(resolved, lr=self.recipe.lr)

    @property
    def is_big_batch(self) -> bool | None:
        """True if an update equals that of one large batch.

        With accumulation or micro-batches, the audit of the loss decides; None without one.
        """
        if (now := self.resolved) is None:
            return None
        return is_big_batch(now, self.micro_batch, self.audit)

    @property
    def evaluation(self) -> Evaluation | None:
        """The latest evaluation at the end of an epoch, or before the first epoch."""
        return self.evaluations.last

    @property
    def validation(self) -> Validated | None:
        """The latest evaluation on held-out data, at the end of an epoch or within it."""
        return self.evaluations.held_out

    @property
    def loss_at_start(self) -> float | None:
        """The full loss before the first batch."""
        return self.evaluations.loss_at_start

    @property
    def full_loss(self) -> float:
        """Mean loss over all training samples, as last evaluated; NaN before that."""
        return self.evaluations.full_loss

    @property
    def full_loss_epoch(self) -> int | None:
        """The epoch at whose end `full_loss` was evaluated; None before the first evaluation."""
        return None if (last := self.evaluations.whole) is None else last.epoch

    @property
    def is_full_loss_old(self) -> bool:
        """True if a later epoch has ended without evaluating the full loss."""
        return (self.full_loss_epoch or 0) < self.epochs.ended

    @property
    def epoch_losses(self) -> EpochLosses:
        """Unweighted mean of the batch losses of each whole epoch, without weightless batches."""
        return self.epochs.losses

    @property
    def validation_loss(self) -> float:
        """Mean loss over held-out samples at the end of the last evaluated epoch; NaN without."""
        return self.evaluations.validation_loss

    @property
    def metrics(self) -> dict[str, float]:
        """The problem's metrics on the held-out samples at the end of the last evaluated epoch."""
        return self.evaluation.metrics if self.evaluation else {}

    @property
    def generalisation_gap(self) -> float:
        """Validation loss minus full training loss, with the same weights.

        NaN if either is missing, and for losses that are sums, which grow with the data.
        """
        is_sum = self.average is not None and self.average.is_sum
        return math.nan if is_sum else self.evaluations.gap

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

    def _train(self, record: Started | Chunk | LossBlock) -> None:
        if self.batch_noise is not None:
            self.batch_noise.add(*(record.chunks if isinstance(record, LossBlock) else (record,)))
        if isinstance(record, Started):
            self._begin(record)
        elif isinstance(record, Chunk):
            self._count(record)
        else:
            self._add_block(record)

    def _begin(self, record: Started) -> None:
        self.generation, self.settings, self.n = record.generation, record.settings, record.n
        self.model, self.parameters = record.model, record.parameters
        self.average, self.audit, self.assumed = record.average, record.audit, record.assumed
        self.micro_batch, self.threads = record.micro_batch, record.threads
        self.device, self.seconds, self.last_loss = record.device, 0.0, math.nan
        self.planned_epochs, self.pace, self.behind = record.epochs, record.pace, False
        self.epoch = self.batches = self.updates = self.samples = self.peak_memory = 0
        self.epochs, self.evaluations = TrainedEpochs(), LastEvaluations()
        self.recipe, self._smoother, self.origin = RecipeFigures(), SmoothedNoise(), record.origin
        self.noise = self.sharpness = self.noise_scale = self.execution = None
        if (origin := record.origin) is None:
            return
        self.epoch, self.batches, self.updates = origin.epoch, origin.batches, origin.updates
        self.samples, self.seconds = origin.samples, origin.seconds
        self.epochs, self.evaluations = TrainedEpochs.after(origin), LastEvaluations.after(origin)
        self.recipe = RecipeFigures(_updates=origin.updates)

    def _follow_worker(self, record: AboutWorker) -> None:
        worker = self.worker
        worker.add(record)
        self.state, self.detail, self.traceback = worker.state, worker.detail, worker.traceback
        self.is_usage_error, self.is_removed = worker.is_usage_error, worker.is_removed

    def _note(self, record: Measured | MeasuringSet | Execution) -> None:
        if isinstance(record, MeasuringSet):
            self.is_measuring = record.is_on
        elif isinstance(record, Execution):
            self.execution = record if record.generation == self.generation else self.execution
        elif record.generation == self.generation:
            self.sharpness = record if record.sharpness else self.sharpness
            if record.noise is not None:
                self.noise, self.noise_scale = record, self._smoother.add(record.noise)

    def _count(self, chunk: Chunk) -> None:
        losses = np.frombuffer(chunk.losses, "<f4")
        self.epochs.add(chunk, losses)
        self._reach(chunk)
        self.recipe.add(chunk, self.updates, is_clipped=self.settings.clip is not None)
        if len(losses) - 1 not in chunk.weightless:
            self.last_loss = float(losses[-1])
        self.peak_memory = max(self.peak_memory, chunk.peak_memory)

    def _reach(self, chunk: Chunk) -> None:
        """Set the counters to those after a chunk."""
        self.epoch, self.samples = chunk.last_epoch, chunk.end_samples
        self.batches = chunk.batch - 1 + chunk.batches
        self.seconds = chunk.seconds + chunk.duration
        self.updates, self.behind = chunk.done_updates, chunk.behind

    def _add_block(self, block: LossBlock) -> None:
        self.epochs.add_block(block)
        self.evaluations.add_all(block.evaluations)
        if block.chunks:
            self._reach(block.chunks[-1])
            self.recipe.add_block(block, self.updates, is_clipped=self.settings.clip is not None)
            self.last_loss = float(block.losses[-1])
            self.peak_memory = max(self.peak_memory, int(block.peak_memory.max()))
        if isinstance(last := block.records[-1], Evaluation):
            self.updates = last.updates
