"""Test that accumulating k batches of b equals one batch of k·b, in less memory.

Uses the lesson's data and a small network, whose activations take most of the memory. Every arm
uses 512 samples per update. n is not a multiple of 512, since the short groups and batches at the
end of an epoch are where accumulation usually goes wrong.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import torch
from torch import nn

from engine.experiments.arm_store import ArmStore
from engine.experiments.registry import find
from engine.experiments.report import Arm, Report, Verdict
from engine.experiments.stacked import CountedSteps, place
from engine.experiments.trials import Trials
from engine.experiments.verdicts import below, figure, valued
from engine.jobs.messages import JobError, ReportProgress
from engine.measure.peak_memory import peak_bytes
from engine.problem import Problem
from engine.problems import registry
from engine.problems.opening import tensors_of
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

ARMS: Final = ((512, 1), (64, 8), (8, 64))
"""Batch size and batches per update; the other arms must equal the first."""
HIDDEN: Final = 64
LR: Final = 0.1
EPOCHS: Final = 10
SAME: Final = 1e-10
"""Largest difference of losses that counts as rounding: float64 has 16 digits, and errors grow."""

_RULE: Final = (
    "supported: for every accumulating arm the 95% interval of the difference lies below "
    f"{SAME:.0e}, and that of its peak memory below the big batch's; not supported: one lies "
    "above; otherwise undecided"
)
_MEANING: Final = {
    Verdict.SUPPORTED: (
        "Weighted by samples, small batches accumulated into one update equal the big batch: the "
        "curves agree up to rounding, in less memory. The figures above show the cost in time."
    ),
    Verdict.NOT_SUPPORTED: (
        "Here the lesson does not hold: accumulation changed the curve, or saved no memory. "
        "The figures above show which."
    ),
    Verdict.UNDECIDED: (
        "The intervals are too wide to tell. More seeds (--seeds) narrow them."
    ),
}  # fmt: skip


@dataclass(slots=True)
class _Found:
    """Measurements of one arm, with one value per seed."""

    curves: list[list[float]] = field(default_factory=list)
    """Losses on all data, before the first epoch and after each epoch."""
    peak: list[float] = field(default_factory=list)
    """KiB."""
    per_update: list[float] = field(default_factory=list)
    """Milliseconds."""

    def of(self, kept: Sequence[int]) -> "_Found":
        """The measurements of the seeds at these places."""
        return _Found(
            [self.curves[place] for place in kept],
            [self.peak[place] for place in kept],
            [self.per_update[place] for place in kept],
        )


def problem(seed: int) -> Problem:
    """The lesson's data in float64, with a network 10 → 64 → 64 → 1 with tanh."""
    linear = registry.load("synthetic", seed)
    return Problem(
        train=tuple(tensor.double() for tensor in tensors_of(linear)),
        model=lambda: nn.Sequential(
            nn.Linear(10, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, 1),
        ).double(),
        loss=linear.loss,
    )


def curve(trainer: Trainer) -> tuple[list[float], float]:
    """Train; return the losses on all data, and the seconds that training took."""
    losses, seconds = [trainer.full_loss()], 0.0
    for _ in range(EPOCHS):
        began = time.perf_counter()
        trainer.advance(trainer.n)
        seconds += time.perf_counter() - began
        losses.append(trainer.full_loss())
    return losses, seconds


def run(
    seeds: Sequence[int],
    device: torch.device,
    progress: ReportProgress,
    store: ArmStore | None = None,
) -> Report:
    """Train every arm on every seed, seed by seed; see engine.experiments.run."""
    device = place(device)
    trials: Trials[_Found] = Trials(seeds, store, (_Found,))
    counter = CountedSteps(progress, len(seeds) * len(ARMS))

    def train(size: int, steps: int) -> _Found:
        found = _Found()
        settings = VariantSettings(batch_size=size, accumulation_steps=steps, lr=LR)
        for seed in counter.over(seeds, _name(size, steps)):
            data = problem(seed)
            make_trainer = partial(Trainer, data, settings, seed, device)
            found.peak.append(peak_bytes(make_trainer, tensors_of(data), device) / 1024)
            trainer = make_trainer()
            losses, seconds = curve(trainer)
            found.curves.append(losses)
            found.per_update.append(seconds / trainer.updates * 1000)
        return found

    for sizes in ARMS:
        trials.train(
            _name(*sizes), partial(train, *sizes), lambda found: [torch.tensor(found.curves)]
        )
    found = {arm: end.of(trials.kept) for arm, end in trials.ends.items()}
    big = found.get(_name(*ARMS[0]))
    if big is None:
        raise JobError(f"no verdict can be given: {'; '.join(map(str, trials.failed))}")
    arms = [_arm(*sizes, found[_name(*sizes)], big) for sizes in ARMS if _name(*sizes) in found]
    verdict = trials.verdict(
        lambda: _verdict(arms, [*found.values()]), (_name(*sizes) for sizes in ARMS)
    )
    return trials.complete(_report(verdict, tuple(arms), device))


def _name(size: int, steps: int) -> str:
    return f"{size} × {steps}"


def _arm(size: int, steps: int, found: _Found, big: _Found) -> Arm:
    differences = [
        max(abs(mine - theirs) for mine, theirs in zip(*pair, strict=True))
        for pair in zip(found.curves, big.curves, strict=True)
    ]
    figures = (
        figure("peak memory", found.peak, "KiB"),
        figure("time per update", found.per_update, "ms"),
        figure("final loss", [losses[-1] for losses in found.curves]),
    )
    return valued(_name(size, steps), size, differences, figures)


def _verdict(arms: Sequence[Arm], found: Sequence[_Found]) -> Verdict:
    differences = [(arm.interval, SAME) for arm in arms[1:]]
    memory = [(figure("", each.peak).interval, min(found[0].peak)) for each in found[1:]]
    return below([*differences, *memory])


def _report(verdict: Verdict, arms: tuple[Arm, ...], device: torch.device) -> Report:
    listing = find("accumulation")
    return Report(
        experiment=listing.name,
        claim=listing.claim,
        verdict=verdict,
        rule=_RULE,
        meaning=_MEANING.get(verdict, ""),
        measured=f"largest difference in the loss on all data from arm {arms[0].name}, "
        "mean over seeds",
        seeds=len(arms[0].per_seed),
        varied="the split of the 512 samples per update: batch size × batches accumulated",
        held=(
            f"the lesson's 2,000 samples, 10 → {HIDDEN} → {HIDDEN} → 1 with tanh, redrawn for each "
            "seed",
            "initial weights and order of each epoch, the same for all arms",
            f"lr {LR:g}, {EPOCHS} epochs of plain SGD, float64, gdtui's own trainer",
        ),
        notes=(
            "Each gradient is weighted by the samples behind it, and a group ends with its epoch. "
            "The lesson's own loop divides by a fixed number, so a leftover gradient leaks into "
            "the next epoch.",
            "Peak memory counts tensors: data, weights, gradients, and tensors saved for the "
            "backward pass.",
        ),
        arms=arms,
        source=listing.source,
        device=str(device),
    )
