"""A sweep's measurements besides training: the peak memory of each arm, and the gradient noise.

Runs in a separate process, since it needs torch. Noise is measured at the same weights for all
arms, those of the arm nearest to the base batch after one epoch; at different weights, rows would
differ by more than their batch size.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import numpy as np
import torch

from engine.jobs.messages import ReportProgress
from engine.log.measurements import NoiseScale
from engine.measure.gradients import gradient_sums, passes
from engine.measure.model_copy import Probe
from engine.measure.noise import FEWEST, noise_scale_of_sums
from engine.measure.peak_memory import peak_bytes
from engine.measure.steps import finish
from engine.problem import Problem
from engine.problems.error_messages import explain
from engine.problems.opening import make_trainer, open_on_device, tensors_of
from engine.problems.user_file import file_of
from engine.settings import FULL, RunSettings, SettingsError, Variant, VariantSettings
from engine.sweep.table import ProbeNote, ProbeResult
from engine.training.devices.errors import is_out_of_memory
from engine.training.devices.memory import release_memory
from engine.training.trainer import Trainer

_BATCHES: Final = 64
"""Most batches in the noise estimate: more add little."""
_SAMPLES: Final = 1 << 16
"""Most samples used for the estimate."""


def measure(
    settings: RunSettings, threads: int, report: ReportProgress, stored: str = ""
) -> ProbeResult:
    """Measure the run's variants; SettingsError if something is not available.

    `stored` is the private directory of the problem's loader, or empty.
    """
    taken, problem = open_on_device(settings, settings.device_of(0), threads, stored=stored)
    peaks: list[int | None] = []
    notes: list[ProbeNote] = []
    for done, variant in enumerate(settings.variants):
        report(done / (len(settings.variants) + 1), f"memory of {variant.name}")
        try:
            peaks.append(_peak(problem, variant.settings, settings, taken.device))
        except SettingsError:
            raise
        except Exception as error:  # training tells whether the arm fails, too
            peaks.append(None)
            text = f"memory of {variant.name} not measured: {_short(error, settings)}"
            notes.append(ProbeNote(arm=variant.name, text=text))
    say = partial(report, len(peaks) / (len(peaks) + 1))
    say("gradient noise")
    noise, reason = _noise_of_any(problem, settings, taken.device, say)
    if reason:
        notes.append(ProbeNote(text=f"gradient noise not measured: {reason}"))
    return ProbeResult(peak_bytes=tuple(peaks), noise=noise, notes=tuple(notes))


def _noise_of_any(
    problem: Problem, settings: RunSettings, device: torch.device, say: Callable[[str], None]
) -> tuple[NoiseScale | None, str]:
    """The noise at the weights of the first arm that can be trained; or the reason why none can.

    Arms nearer to the base batch come first.
    """

    def distance(variant: Variant) -> float:
        size = variant.settings.batch_size
        return math.inf if size == FULL else abs(math.log(size / variant.settings.base_batch))

    reason = ""
    for variant in sorted(settings.variants, key=distance):
        try:
            found = _noise(problem, variant.settings, settings, device, say)
        except Exception as error:
            reason = reason or _short(error, settings)
            continue
        if found is None or found.is_finite:
            return found, ""
        reason = reason or _not_finite(found, variant.name)
    return None, reason


def _not_finite(found: NoiseScale, name: str) -> str:
    which = f"{found.not_finite} of {found.batches} gradients are" if found.not_finite else "it is"
    return f"{which} not finite after an epoch of {name}"


def _short(error: Exception, settings: RunSettings) -> str:
    """The error in a line, in the words of an arm that fails with it."""
    return explain(error, file_of(settings.problem), is_short=True)


def _peak(
    problem: Problem, settings: VariantSettings, run: RunSettings, device: torch.device
) -> int | None:
    try:
        return peak_bytes(
            partial(make_trainer, problem, settings, run, device), tensors_of(problem), device
        )
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        release_memory(device)
        return None


def _noise(
    problem: Problem,
    settings: VariantSettings,
    run: RunSettings,
    device: torch.device,
    say: Callable[[str], None],
) -> NoiseScale | None:
    """The noise scale; None if there are too few samples for an estimate."""
    base = msgspec.structs.replace(settings, accumulation_steps=1)
    trainer = make_trainer(problem, base, run, device)
    if trainer.n < FEWEST:
        return None
    size = trainer.objective.size
    if passes(_BATCHES, size * torch.float32.itemsize) > 1:
        say(f"gradient noise, each gradient computed twice: {size:,} parameters are too many")
    while trainer.epoch < 1 or not trainer.at_epoch_end:
        trainer.advance(1000)
    return noise_at(trainer, run.seed)


def noise_at(trainer: Trainer, seed: int) -> NoiseScale:
    """The noise scale at the trainer's weights, from disjoint batches that cover the data."""
    size = max(1, min(trainer.n, _SAMPLES) // _BATCHES)
    count = min(trainer.n // size, _BATCHES)
    samples = np.random.default_rng(seed).permutation(trainer.n)[: count * size]
    sums = finish(gradient_sums(Probe.of(trainer, samples), count, size))
    return noise_scale_of_sums(sums, size, trainer.n)
