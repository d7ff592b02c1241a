"""A whole sweep: the probe, the arms one after another, the table and the recommendation.

Does not import torch.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from engine.jobs.cores import fair_threads, usable_cores
from engine.jobs.messages import ReportPartial, ReportProgress
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.private import PrivateDirectory
from engine.log.measurements import NoiseScale
from engine.log.reading.failures import failure_reason, has_printed
from engine.log.records import State
from engine.settings import FULL, RunSettings, Variant, VariantSettings
from engine.sweep import timeline
from engine.sweep.arms import ArmRun, earlier_arm, equal_seconds, train
from engine.sweep.contradiction import marked
from engine.sweep.directory import SweepDirectory
from engine.sweep.job import PROBE_SHARE, probe_arms
from engine.sweep.recommendation.recommend import Terms, predict, recommend
from engine.sweep.table import FailedArm, Noise, ProbeResult, Sweep, SweepRow, lesson


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a sweep: the measurements to take."""

    settings: RunSettings
    """Each variant is an arm."""
    memory_limit_mb: float | None
    begin: Callable[[RunSettings], SweepDirectory]
    """Makes the sweep's directory, in which the arms get their directories."""
    handover: PrivateDirectory | None = None
    """The directory of the problem's loader, for all arms; without it, each arm loads."""
    remove_arm: Callable[[Path], None] | None = None
    """Removes the run of an arm that failed or is damaged, so that it can be trained again.

    Raises RunDirectoryError. Needed only for a sweep that an earlier process began.
    """


def sweep(plan: Plan, report: ReportProgress, report_partial: ReportPartial) -> Sweep:
    """Measure every arm; SettingsError for settings that cannot be used on this machine.

    An arm that fails has no row; the others keep theirs. Whenever an arm has ended,
    `report_partial` receives the table so far, without a recommendation.
    """
    with plan.begin(plan.settings) as directory:
        return measure(plan, directory, report, report_partial)


def measure(
    plan: Plan, directory: SweepDirectory, report: ReportProgress, report_partial: ReportPartial
) -> Sweep:
    """The same, in a directory whose lock this process holds.

    Arms that an earlier process trained to their end are read, not trained again; one that was cut
    short goes on from its last checkpoint.
    """
    directory.handover = plan.handover
    settings = plan.settings
    threads = settings.threads or fair_threads(usable_cores(), 1)
    probed = _probe(plan, directory, threads, report)
    # The slowest goes first: its time for the epochs is the equal time for which the others train.
    waiting = sorted(settings.variants, key=lambda variant: _samples(variant.settings))
    arms: list[ArmRun] = []
    failed: list[FailedArm] = []
    while waiting:
        variant = waiting.pop(0)
        done = len(arms) + len(failed)
        report_arm = partial(_report_arm, report, done, done + len(waiting) + 1, variant.name)
        seconds = arms[0].seconds if arms and math.isfinite(arms[0].seconds) else 0.0
        only = msgspec.structs.replace(settings, variants=(variant,), threads=threads)
        arm = _arm(plan, directory, only, seconds, report_arm)
        if isinstance(arm, FailedArm):
            failed.append(arm)
        else:
            arms.append(arm)
            waiting = _unlike(waiting, arm.tally.n)
        report_partial(_table(plan, probed, arms, failed))
    table = _table(plan, probed, arms, failed)
    terms = _terms(plan, probed)
    return msgspec.structs.replace(
        table,
        recommendation=recommend(table.rows, terms),
        prediction=predict(table.rows, terms),
    )


def _probe(
    plan: Plan, directory: SweepDirectory, threads: int, report: ReportProgress
) -> ProbeResult:
    """The measurements besides training, which an earlier process may have made."""
    if directory.is_resumed and (kept := directory.probe) is not None:
        return kept
    probed = probe_arms(plan.settings, threads, report, _stored(plan))
    if probed.noise is not None or any(probed.peak_bytes):
        directory.keep_probe(probed)
    return probed


def _arm(
    plan: Plan,
    directory: SweepDirectory,
    settings: RunSettings,
    seconds: float,
    report: ReportProgress,
) -> ArmRun | FailedArm:
    """The arm of the only variant of `settings`, read or trained."""
    (variant,) = settings.variants
    earlier: ArmRun | RunDirectory | None = None
    with contextlib.suppress(RunDirectoryError):  # training it again reports the reason
        earlier = earlier_arm(directory, variant, seconds, plan.remove_arm)
    if isinstance(earlier, ArmRun):
        return earlier
    return _run_arm(directory, settings, earlier, seconds, report)


def _run_arm(
    directory: SweepDirectory,
    settings: RunSettings,
    resumed: RunDirectory | None,
    seconds: float,
    report: ReportProgress,
) -> ArmRun | FailedArm:
    """Train the only variant of `settings`, for at least as many seconds as the slowest arm.

    `resumed`: its run, if it goes on.
    """
    (variant,) = settings.variants
    alone = msgspec.structs.replace(
        settings, device=settings.device_of(0), pace=None, measuring=False
    )
    try:
        run = resumed or directory.new_arm(alone)
        arm = train(run, seconds, report)
    except RunDirectoryError as error:
        return FailedArm(name=variant.name, reason=str(error))
    tally = arm.tally
    if not tally.state.is_cut_short:
        return arm
    output = run.variant_output(tally.name)
    return FailedArm(
        name=tally.name,
        reason=failure_reason(tally.state, tally.detail) or str(tally.state),
        output=str(output) if has_printed(output, tally.traceback) else "",
        traceback=tally.traceback,
    )


def _samples(settings: VariantSettings) -> float:
    """Samples per update; infinite for full batch, so that it sorts last."""
    if settings.batch_size == FULL:
        return math.inf
    return settings.batch_size * settings.accumulation_steps


def _unlike(waiting: Sequence[Variant], n: int) -> list[Variant]:
    """The variants without those whose batch size of n or more repeats full batch."""
    has_full = any(variant.settings.batch_size == FULL for variant in waiting)
    return [
        variant
        for variant in waiting
        if not (has_full and isinstance(size := variant.settings.batch_size, int) and size >= n)
    ]


def _stored(plan: Plan) -> str:
    return "" if plan.handover is None else str(plan.handover.path)


def _report_arm(
    report: ReportProgress, done: int, arms: int, name: str, fraction: float, place: str
) -> None:
    report(PROBE_SHARE + (1 - PROBE_SHARE) * (done + fraction) / arms, f"{name}, {place}")


# --- The table ------------------------------------------------------------------------------------


def _table(
    plan: Plan, probed: ProbeResult, arms: Sequence[ArmRun], failed: Sequence[FailedArm]
) -> Sweep:
    """The table of these arms, in the order of the plan, without a recommendation."""
    settings, peaks = plan.settings, _by_name(plan.settings, probed)
    by_name = {arm.tally.name: arm for arm in arms}
    ordered = [by_name[each.name] for each in settings.variants if each.name in by_name]
    seconds = equal_seconds(arms)
    target = _target(arms, seconds)
    rows = tuple(_row(arm, peaks[arm.tally.name], probed.noise, seconds, target) for arm in ordered)
    return Sweep(
        problem=settings.problem,
        device=next((arm.tally.device for arm in arms if arm.tally.device), settings.device),
        seed=settings.seed,
        epochs=settings.epochs,
        seconds=seconds,
        target_loss=target,
        noise_scale=None
        if probed.noise is None
        else _noise(probed.noise, settings.variants[0].settings),
        memory_limit_mb=plan.memory_limit_mb,
        rows=marked(rows),
        recommendation=None,
        failed=tuple(each for name in peaks for each in failed if each.name == name),
        notes=tuple(
            note.text for note in probed.notes if note.arm in by_name or (arms and not note.arm)
        ),
    )


def _terms(plan: Plan, probed: ProbeResult) -> Terms:
    by_size = {each.settings.batch_size: each.settings for each in plan.settings.variants}
    return Terms(
        noise_scale=None if probed.noise is None else probed.noise.value,
        lr_scaling=plan.settings.variants[0].settings.lr_scaling,
        memory_limit_mb=plan.memory_limit_mb,
        lr=lambda row, samples: _lr(by_size[row.batch_size], samples),
    )


def _lr(settings: VariantSettings, samples: int) -> float:
    """The scaled lr for this many samples per update."""
    return settings.lr_scaling.scale(settings.lr, settings.base_batch, samples)


def _by_name(settings: RunSettings, probed: ProbeResult) -> dict[str, int | None]:
    return dict(zip((v.name for v in settings.variants), probed.peak_bytes, strict=True))


def _target(arms: Sequence[ArmRun], seconds: float | None) -> float | None:
    """The lowest loss that all arms reached within that time, except those that diverged."""
    if seconds is None:
        return None
    found = [
        timeline.best_by(arm.losses, seconds) for arm in arms if arm.tally.state is State.FINISHED
    ]
    return max((loss for loss in found if loss is not None), default=None)


def _row(
    arm: ArmRun,
    peak: int | None,
    noise: NoiseScale | None,
    seconds: float | None,
    target: float | None,
) -> SweepRow:
    tally, speed = arm.tally, arm.samples_per_s
    resolved = tally.settings.resolve(tally.n)
    samples = resolved.effective_batch
    return SweepRow(
        batch_size=tally.settings.batch_size,
        accumulation_steps=resolved.accumulation_steps,
        samples_per_update=samples,
        lr=resolved.lr,
        gradient_noise=_relative_noise(noise, samples, tally.n),
        samples_per_s=speed,
        ms_per_update=None if speed is None else samples / speed * 1000,
        peak_memory_mb=None if peak is None else peak / 1e6,
        loss_equal_epochs=arm.loss,
        loss_equal_seconds=None if seconds is None else timeline.loss_at(arm.losses, seconds),
        seconds_to_loss=None if target is None else timeline.seconds_to(arm.losses, target),
        generalisation_gap=None if arm.gap is None else _finite(arm.gap),
        state=str(tally.state),
        lesson=lesson(tally.settings.batch_size),
    )


def _relative_noise(noise: NoiseScale | None, samples: int, n: int) -> float | None:
    """Relative error of an update's gradient: the length of the error ÷ that of the gradient."""
    if noise is None:
        return None
    ratio = noise.signal_to_noise(samples, n)
    return _finite(1 / math.sqrt(ratio)) if ratio > 0 else None


def _noise(noise: NoiseScale, settings: VariantSettings) -> Noise:
    return Noise(
        value=_finite(noise.value),
        low=_finite(noise.low),
        high=_finite(noise.high),
        place=f"after one epoch at batch size {settings.base_batch}",
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
