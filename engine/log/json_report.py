"""The result of a run for scripts: `gdtui train --json`.

Figures are unrounded and refer to each variant's last generation; non-finite ones are null.
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from engine.log.directory import RunDirectory
from engine.log.figures.execution import speed_up
from engine.log.figures.growth import DIVERGING
from engine.log.reading.failures import failure_reason
from engine.log.records import State
from engine.log.summary import Tally
from engine.settings import DataReading, LrScaling, LrSchedule, Precision


class OriginReport(msgspec.Struct, frozen=True, kw_only=True):
    """The point of another training after which a training began."""

    variant: str
    generation: int
    batch: int
    """Its last batch before the point."""


class ExecutionReport(msgspec.Struct, frozen=True, kw_only=True):
    """The compiled step that computes a variant's updates."""

    from_update: int
    """The first update that it could compute, from 1."""
    updates_per_call: int
    threads: int
    """CPU threads within an operation."""
    build: str
    """Its identity: equal for equal programs."""
    ratio: float | None
    """Updates per second since then ÷ those of the eager step before."""


class VariantReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one variant, with the settings in force at the end."""

    name: str
    batch_size: int | None
    """Samples per batch; a number even for `full`. Null if the data was never loaded."""
    lr: float | None
    """The lr of the last update, scaling and schedule included."""
    lr_scaling: LrScaling
    optimizer: str
    """As it was given, with its arguments."""
    momentum: float
    schedule: LrSchedule
    warmup: float
    """The part of the run in which the lr rises: a share below 1, else samples."""
    clip: float | None
    """The norm that gradients are scaled down to; null: none."""
    clipped_share: float | None
    """The share of updates whose gradient was scaled down; null where none could be."""
    precision: Precision
    batch_warmup: float
    """The part of the run in which the batch grows: a share below 1, otherwise samples."""
    skipped_updates: int
    """Updates that were left out, since their fp16 gradients overflowed."""
    accumulation_steps: int
    """Batches per update, as resolved for the training set."""
    is_big_batch: bool | None
    """True if an update equals that of one large batch. Without accumulation and micro-batches
    that always holds; otherwise the audit of the loss decides. Null if unknown.
    """
    epochs: int
    """Completed epochs."""
    batches: int
    updates: int
    samples: int
    """Samples trained on."""
    epoch_losses: tuple[float | None, ...]
    """Unweighted mean of the batch losses of each whole epoch. After more than 65,536 epochs, only
    of the epochs in `epoch_losses_at`.
    """
    epoch_losses_at: tuple[int, ...] | None
    """The numbers of the epochs in `epoch_losses`, from 1; includes the first and the last.

    Null if no epoch is left out.
    """
    final_loss: float | None
    """The last of the epoch losses."""
    sigma: float | None
    """σ, the noise of the batch losses over the last epoch: the standard deviation of (batch loss −
    smoothed loss before it). Null for the full batch.
    """
    std: float | None
    """Standard deviation of the epoch losses (ddof 0): how far the loss fell, not its noise. The
    lesson prints this figure and calls it variance.
    """
    variance: float | None
    """Variance of the epoch losses (ddof 0)."""
    full_loss: float | None
    """Mean loss over all training data after the last whole epoch."""
    growth: float | None
    """Full loss ÷ full loss before the first update: above 1 it ended worse than it began."""
    is_diverging: bool
    """True if `growth` is over 1,000, however the training ended."""
    validation: dict[str, float | None] | None
    """Loss and metrics on the held-out data after the last whole epoch.

    Null without held-out data.
    """
    generalisation_gap: float | None
    """Validation loss minus full loss."""
    device: str
    """Description of the device; empty if the variant never trained."""
    peak_memory: int | None
    """Bytes used by tensors on CUDA, by the driver on MPS, resident in the worker on the CPU."""
    compiled: ExecutionReport | None
    """The compiled step that came in; null if the eager step trains."""
    not_compiled: str | None
    """Why the eager step trains in spite of --compile; null if it does not, or if unknown."""
    batch_milliseconds: float | None
    """Mean training time of a batch."""
    noise_scale: float | None
    """The simple noise scale tr(Σ) ÷ |G|² in samples, smoothed over the measurements, as on the
    screen, which adds "not reliable yet" while the ends of the interval are more than a factor of
    4 apart. Null if infinite, or if gradients are not finite.
    """
    noise_scale_interval: tuple[float | None, float | None] | None
    """The 95% interval of the smoothed value; the upper end is null if |G|² may be zero."""
    signal_to_noise: float | None
    """|G|² ÷ the expected squared error of an update's gradient, from the same smoothed |G|² and
    tr(Σ). Null for the full batch, whose gradient has no error.
    """
    signal_to_noise_interval: tuple[float | None, float | None] | None
    """Its 95% interval, from that of the noise scale; a null end is infinite."""
    gradients_not_finite: int
    """Batches of the last measurement with a NaN or an infinity in their gradient."""
    sharpness: float | None
    """The largest eigenvalue of the Hessian of the training loss, as last measured."""
    measured_at: int | None
    """Updates done when the noise scale was last measured."""
    seconds: float
    """Training time, excluding pauses, waits for the pace and measurements."""
    generation: int
    """The number of the variant's latest training, which this is; 0 if it never began."""
    origin: OriginReport | None
    """The point after which it began, by a fork or a rewind; null for the initial weights."""
    is_removed: bool
    """True if the variant was removed from the comparison."""
    state: State
    failure: str | None
    """The reason of a variant that failed, ran out of memory or died, as on stderr; else null."""


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run."""

    run_dir: str
    problem: str
    seed: int
    device: str
    """The device of the first variant that trained; the requested device if none did."""
    variants: tuple[VariantReport, ...]
    data: DataReading | None
    """The reading of the data file; null for problems without one."""
    remarks: tuple[str, ...] = ()
    """How the output of a program was read, with questions about it and their answers."""


def report(run: RunDirectory, tallies: Sequence[Tally], remarks: Sequence[str] = ()) -> RunReport:
    """The report of a run, from the tallies of its logs, and what they say about a program."""
    settings = run.info.settings
    devices = [tally.device for tally in tallies if tally.device]
    return RunReport(
        run_dir=str(run.path.absolute()),
        problem=settings.problem,
        seed=settings.seed,
        device=devices[0] if devices else settings.device,
        variants=tuple(_variant(tally) for tally in tallies),
        data=settings.reading,
        remarks=tuple(remarks),
    )


def _variant(tally: Tally) -> VariantReport:
    resolved, noise, losses = tally.resolved, tally.noise_scale, tally.epoch_losses
    sharpness = tally.sharpness.sharpness if tally.sharpness else None
    return VariantReport(
        name=tally.name,
        batch_size=resolved.batch_size if resolved else None,
        lr=_finite(resolved.lr) if resolved else None,
        lr_scaling=tally.settings.lr_scaling,
        **_recipe(tally),
        accumulation_steps=(resolved or tally.settings).accumulation_steps,
        is_big_batch=tally.is_big_batch,
        epochs=len(losses),
        batches=tally.batches,
        updates=tally.updates,
        samples=tally.samples,
        epoch_losses=tuple(map(_finite, losses.losses.tolist())),
        epoch_losses_at=None if losses.is_complete else tuple(losses.epochs.tolist()),
        **_losses(tally),
        **_execution(tally),
        validation=_validation(tally),
        generalisation_gap=_finite(tally.generalisation_gap) if tally.epoch_losses else None,
        device=tally.device,
        peak_memory=tally.peak_memory or None,
        batch_milliseconds=1000 * tally.seconds / tally.batches if tally.batches else None,
        noise_scale=_finite(noise.value) if noise else None,
        noise_scale_interval=_ends(noise.low, noise.high) if noise else None,
        signal_to_noise=_finite(tally.signal_to_noise),
        signal_to_noise_interval=_ends(*tally.signal_to_noise_interval),
        gradients_not_finite=noise.not_finite if noise else 0,
        sharpness=_finite(sharpness.value) if sharpness else None,
        measured_at=tally.noise.updates if tally.noise else None,
        seconds=tally.seconds,
        generation=tally.generation,
        origin=_origin(tally),
        is_removed=tally.is_removed,
        state=tally.state,
        failure=failure_reason(tally.state, tally.detail) or None,
    )


def _origin(tally: Tally) -> OriginReport | None:
    if (origin := tally.origin) is None:
        return None
    variant = origin.variant or tally.name
    return OriginReport(variant=variant, generation=origin.generation, batch=origin.batches)


def _execution(tally: Tally) -> dict[str, Any]:
    record, compiled = tally.execution, None
    if record is not None and record.compiled:
        compiled = ExecutionReport(
            from_update=record.update,
            updates_per_call=record.compiled,
            threads=record.threads,
            build=record.build,
            ratio=_finite(speed_up(record, tally.updates, tally.seconds)),
        )
    return {"compiled": compiled, "not_compiled": (record and record.reason) or None}


def _losses(tally: Tally) -> dict[str, Any]:
    return {
        "final_loss": _finite(tally.final_loss),
        "std": _finite(tally.std),
        "variance": _finite(tally.variance),
        "sigma": _finite(tally.batch_noise.sigma) if tally.batch_noise else None,
        "full_loss": _finite(tally.full_loss) if tally.epoch_losses else None,
        "growth": _finite(tally.growth),
        "is_diverging": tally.growth > DIVERGING,
    }


def _recipe(tally: Tally) -> dict[str, Any]:
    settings = tally.settings
    return {
        "optimizer": settings.optimizer,
        "momentum": settings.momentum,
        "schedule": settings.schedule,
        "warmup": settings.warmup,
        "clip": settings.clip,
        "clipped_share": tally.recipe.clipped_share,
        "precision": settings.precision,
        "batch_warmup": settings.batch_warmup,
        "skipped_updates": tally.recipe.skipped,
    }


def _validation(tally: Tally) -> dict[str, float | None] | None:
    if not (tally.epoch_losses and tally.validation):
        return None
    measured = {"loss": tally.validation_loss, **tally.metrics}
    return {name: _finite(value) for name, value in measured.items()}


def _ends(low: float, high: float) -> tuple[float | None, float | None] | None:
    return None if math.isnan(low) else (_finite(low), _finite(high))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
