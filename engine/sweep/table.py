"""The trade-off table as frozen values: rows, the lesson's words for them, and the recommendation.

`gdtui sweep --json` is this document as it stands. None is what was not measured.
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from engine.log.measurements import NoiseScale
from engine.settings import FULL, BatchSize
from engine.settings.ranges import Count


class SweepWords(msgspec.Struct, frozen=True, kw_only=True):
    """The lesson's words for a batch size."""

    gradient_quality: str
    gpu_efficiency: str
    generalisation: str
    memory: str


_LESSON: Final[tuple[tuple[int, tuple[str, str, str, str]], ...]] = (
    (512, ("very clean", "excellent", "may overfit", "high")),
    (128, ("low noise", "good", "moderate", "medium")),
    (32, ("moderate noise", "moderate", "good", "low")),
    (1, ("very noisy", "poor", "can be good", "minimal")),
)
_FULL: Final = ("exact", "varies", "risk of sharp minima", "very high")


def lesson(batch_size: BatchSize) -> SweepWords:
    """The words of the lesson's table: of its largest batch size that is not above this one."""
    words = _FULL
    if isinstance(batch_size, int):
        words = next(words for size, words in _LESSON if batch_size >= size)
    quality, efficiency, generalisation, memory = words
    return SweepWords(
        gradient_quality=quality,
        gpu_efficiency=efficiency,
        generalisation=generalisation,
        memory=memory,
    )


class SweepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One batch size, as measured."""

    batch_size: BatchSize
    accumulation_steps: int
    samples_per_update: int
    lr: float
    """The lr in force: scaled."""
    gradient_noise: float | None
    """Error of an update's gradient ÷ the gradient, in length: √(tr(Σ)(1/b − 1/n)) ÷ |G|."""
    samples_per_s: float | None
    ms_per_update: float | None
    peak_memory_mb: float | None
    """Memory of tensors: data, weights, gradients, optimiser state, activations; 10⁶ bytes."""
    loss_equal_epochs: float | None
    """Loss on all training data, after the sweep's epochs."""
    loss_equal_seconds: float | None
    """Loss on all training data, after `Sweep.seconds` of training."""
    seconds_to_loss: float | None
    """Training time until the loss was down to `Sweep.target_loss`."""
    generalisation_gap: float | None
    """Validation loss − training loss, after the sweep's epochs."""
    state: str
    """finished, diverged, failed, …"""
    lesson: SweepWords
    contradicted: tuple[str, ...] = ()
    """The names of the lesson's words, such as gpu_efficiency, that the table contradicts."""


class ProbeNote(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement that could not be made, and why."""

    arm: str = ""
    """The arm whose row lacks it; empty if all rows do."""
    text: str


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements made beside the training; None stands for one that could not be made."""

    peak_bytes: tuple[Count | None, ...]
    """Peak of each variant; None where it did not fit."""
    noise: NoiseScale | None
    notes: tuple[ProbeNote, ...] = ()
    """The reasons for what could not be measured."""


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """The simple noise scale tr(Σ) ÷ |G|² at one place, with its 95% interval, in samples."""

    value: float | None
    low: float | None
    high: float | None
    """None: not bounded."""
    place: str
    """The weights at which it was measured."""


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """Recommended settings, by what was measured or by what theory predicts."""

    batch_size: BatchSize
    """Samples in memory at once."""
    lr: float
    """The lr in force: the one tried, for as many samples an update."""
    accumulation_steps: int
    reason: str


class FailedArm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An arm that failed, and the reason."""

    name: str
    reason: str
    output: str = ""
    """The file with everything that its worker printed; empty if it printed nothing."""
    traceback: str = ""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """The whole table."""

    problem: str
    device: str
    seed: int
    epochs: int
    seconds: float | None
    """The "equal seconds": the training time of the slowest arm for the epochs.

    Less if an arm that was faster then has not trained that long.
    """
    target_loss: float | None
    """The loss that every arm got to in that time."""
    noise_scale: Noise | None
    memory_limit_mb: float | None
    rows: tuple[SweepRow, ...]
    recommendation: Recommendation | None
    """The settings measured best: the lowest loss in equal seconds, at the lr tried.

    None: nothing was trained soundly, or not all of it yet.
    """
    prediction: Recommendation | None = None
    """The settings that theory predicts to be best once the lr is tuned for them."""
    failed: tuple[FailedArm, ...] = ()
    """The arms without a row."""
    notes: tuple[str, ...] = ()
    """Measurements that could not be made, and why."""

    def without_tracebacks(self) -> "Sweep":
        """The document without the tracebacks of failed arms, which are shown only on request."""
        failed = tuple(replace(arm, traceback="") for arm in self.failed)
        return replace(self, failed=failed)


def label(batch_size: BatchSize) -> str:
    """The command as it is typed."""
    return FULL if batch_size == FULL else str(batch_size)
