"""The result of a run for scripts: `gdtui train --json`.

Figures are unrounded and those of each variant's last generation; what is not finite is null.
"""

import math
from collections.abc import Sequence

import msgspec

from engine.log.directory import RunDirectory
from engine.log.records import State
from engine.log.summary import Tally
from engine.settings import LrScaling


class VariantReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one variant, with the settings in force at the end."""

    name: str
    batch_size: int | None
    """Samples in one batch, as resolved: full is a number, too. Null before the data was loaded."""
    lr: float | None
    """The lr in force: scaled."""
    lr_scaling: LrScaling
    accumulation_steps: int
    """Batches behind one update, as resolved."""
    is_big_batch: bool | None
    """True where an update is that of one large batch: always, without accumulation and
    micro-batches, else as the audit of the loss found. Null where that is unknown.
    """
    epochs: int
    """Completed epochs."""
    batches: int
    updates: int
    samples: int
    """Samples trained on."""
    epoch_losses: tuple[float | None, ...]
    """Plain mean of the batch losses of each whole epoch; of more than 65,536, of those in
    `epoch_losses_at`.
    """
    epoch_losses_at: tuple[int, ...] | None
    """The numbers of the epochs in `epoch_losses`, from 1, with the first and the last among them.

    Null where none is left out.
    """
    final_loss: float | None
    """The last of the epoch losses."""
    std: float | None
    """Standard deviation of the epoch losses (ddof 0)."""
    variance: float | None
    """Variance of the epoch losses (ddof 0)."""
    full_loss: float | None
    """Mean loss over all training data after the last whole epoch."""
    validation: dict[str, float | None] | None
    """Loss and metrics on the held-out data after the last whole epoch.

    Null without held-out data.
    """
    generalisation_gap: float | None
    """Validation loss minus full loss."""
    device: str
    """Model description; empty when it never trained."""
    peak_memory: int | None
    """Bytes: on CUDA of tensors, on MPS of the driver, on the CPU what of the worker was resident.
    """
    batch_milliseconds: float | None
    """Mean training time of a batch."""
    noise_scale: float | None
    """The simple noise scale tr(Σ) ÷ |G|² in samples, smoothed over the measurements: the figure on
    the screen, "not reliable yet" while the interval's ends lie a factor of 4 apart. Null where
    infinite.
    """
    noise_scale_interval: tuple[float | None, float | None] | None
    """The 95% interval of the smoothed value; the upper end null where |G|² may be zero."""
    signal_to_noise: float | None
    """|G|² ÷ the expected squared error of an update's gradient, by the same smoothed |G|² and
    tr(Σ); null for the full batch: no error.
    """
    sharpness: float | None
    """The top eigenvalue of the training loss's Hessian, as last measured."""
    measured_at: int | None
    """Updates done when the noise scale was last measured."""
    seconds: float
    """Training time, without pauses, waits for the pace and measurements."""
    state: State


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run."""

    run_dir: str
    problem: str
    seed: int
    device: str
    """The first device of the training; the requested one when no training began."""
    variants: tuple[VariantReport, ...]


def report(run: RunDirectory, tallies: Sequence[Tally]) -> RunReport:
    """The report of a run whose logs were read into these tallies."""
    settings = run.info.settings
    devices = [tally.device for tally in tallies if tally.device]
    return RunReport(
        run_dir=str(run.path.absolute()),
        problem=settings.problem,
        seed=settings.seed,
        device=devices[0] if devices else settings.device,
        variants=tuple(_variant(tally) for tally in tallies),
    )


def _variant(tally: Tally) -> VariantReport:
    resolved = tally.resolved
    noise, losses = tally.noise_scale, tally.epoch_losses
    sharpness = tally.sharpness.sharpness if tally.sharpness else None
    return VariantReport(
        name=tally.name,
        batch_size=resolved.batch_size if resolved else None,
        lr=_finite(resolved.lr) if resolved else None,
        lr_scaling=tally.settings.lr_scaling,
        accumulation_steps=resolved.accumulation_steps
        if resolved
        else tally.settings.accumulation_steps,
        is_big_batch=tally.is_big_batch,
        epochs=len(losses),
        batches=tally.batches,
        updates=tally.updates,
        samples=tally.samples,
        epoch_losses=tuple(map(_finite, losses.losses.tolist())),
        epoch_losses_at=None if losses.is_complete else tuple(losses.epochs.tolist()),
        final_loss=_finite(tally.final_loss),
        std=_finite(tally.std),
        variance=_finite(tally.variance),
        full_loss=_finite(tally.full_loss) if tally.epoch_losses else None,
        validation=_validation(tally),
        generalisation_gap=_finite(tally.generalisation_gap) if tally.epoch_losses else None,
        device=tally.device,
        peak_memory=tally.peak_memory or None,
        batch_milliseconds=_finite(tally.batch_milliseconds),
        noise_scale=_finite(noise.value) if noise else None,
        noise_scale_interval=(noise.low, _finite(noise.high)) if noise else None,
        signal_to_noise=_finite(tally.signal_to_noise),
        sharpness=_finite(sharpness.value) if sharpness else None,
        measured_at=tally.noise.updates if tally.noise else None,
        seconds=tally.seconds,
        state=tally.state,
    )


def _validation(tally: Tally) -> dict[str, float | None] | None:
    if not (tally.epoch_losses and tally.validation):
        return None
    measured = {"loss": tally.validation_loss, **tally.metrics}
    return {name: _finite(value) for name, value in measured.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
