"""Test, with two wells of equal depth, if small batches leave a sharp minimum for a flat one.

Sample i has the loss ℓᵢ(w) = min(½ k_sharp ‖w‖², ½ k_flat ‖w − c‖²) + aᵢ·w. The aᵢ come in pairs z,
−z, so their mean is exactly 0: the full loss is just the two wells, and its gradient is exactly 0
at the bottom of each. A batch adds the mean of its aᵢ, noise that does not depend on w. The wells
differ only in curvature, and the arms only in batch size.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

import torch
from torch import Tensor

from engine.experiments.arm_store import ArmStore
from engine.experiments.registry import find
from engine.experiments.report import Arm, Report, Verdict
from engine.experiments.stacked import CountedSteps, batches, descended, place, size_of
from engine.experiments.trials import Trials
from engine.experiments.verdicts import ESCAPE_RULE, counted, escape, share
from engine.jobs.messages import ReportProgress
from engine.settings import FULL, BatchSize

SIZES: Final[tuple[BatchSize, ...]] = (FULL, 64, 8, 1)
SAMPLES: Final = 512
SHARP, FLAT = 50.0, 1.0
"""Curvatures of the wells."""
DISTANCE: Final = 1.0
"""Distance between the bottoms of the wells."""
NOISE: Final = 4.5
"""Standard deviation of each component of the aᵢ: at batch size 1, weights in the sharp well
spread over 0.4 of the way to its rim."""
LR: Final = 0.01
UPDATES: Final = 2000

_LEFT_FLAT: Final = "left the flat well, started there"

_MEANING: Final = {
    Verdict.SUPPORTED: (
        "Full batch stays in the minimum where it starts, however sharp. With a small enough "
        "batch, noise carries the weights over the rim of the sharp well. The flat well, equally "
        "deep but wider, keeps them."
    ),
    Verdict.NOT_SUPPORTED: (
        "Here the lesson does not hold: batch size did not decide which arms leave the sharp "
        "minimum. The counts above show the exceptions."
    ),
    Verdict.UNDECIDED: (
        "The intervals are too wide to tell. More seeds (--seeds) narrow them."
    ),
}  # fmt: skip


def centre(device: torch.device) -> Tensor:
    """The bottom of the flat well; the bottom of the sharp well is the origin."""
    return torch.tensor([DISTANCE, 0.0], dtype=torch.float64, device=device)


def wells(w: Tensor) -> tuple[Tensor, Tensor]:
    """½ k_sharp ‖w‖² and ½ k_flat ‖w − c‖² for w (…, 2)."""
    sharp = w.square().sum(-1) * (SHARP / 2)
    flat = (w - centre(w.device)).square().sum(-1) * (FLAT / 2)
    return sharp, flat


def is_in_sharp(w: Tensor) -> Tensor:
    """True for the w in the basin of the sharp well, which is where its bowl is the lower one."""
    sharp, flat = wells(w)
    return sharp < flat


def losses(parameters: Sequence[Tensor], tilt: Tensor) -> Tensor:
    """Mean loss of each seed; w has shape (S, 2), tilt holds the aᵢ of the batch, (S, b, 2)."""
    (w,) = parameters
    return torch.minimum(*wells(w)) + (tilt.mean(1) * w).sum(-1)


def tilts(seed: int) -> Tensor:
    """The aᵢ, (n, 2), in pairs z, −z next to each other."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(SAMPLES // 2, 2, generator=generator, dtype=torch.float64) * NOISE
    return torch.stack([z, -z], dim=1).reshape(SAMPLES, 2)


def starts(seed: int, *, in_sharp: bool) -> Tensor:
    """A point (2,) drawn uniformly from the sharp basin, or from an equal disc in the flat one."""
    generator = torch.Generator().manual_seed(seed)
    reach = (
        DISTANCE * math.sqrt(FLAT) / (math.sqrt(SHARP) - math.sqrt(FLAT))
    )  # of the basin, on its far side
    while True:
        point = (torch.rand(2, generator=generator, dtype=torch.float64) * 2 - 1) * reach
        if is_in_sharp(point):
            return point if in_sharp else point + centre(point.device)


def run(
    seeds: Sequence[int],
    device: torch.device,
    progress: ReportProgress,
    store: ArmStore | None = None,
) -> Report:
    """Train every arm on every seed from either well; see engine.experiments.run."""
    device = place(device)
    tilt = torch.stack([tilts(seed) for seed in seeds]).to(device)
    sharp = torch.stack([starts(seed, in_sharp=True) for seed in seeds]).to(device)
    flat = torch.stack([starts(seed, in_sharp=False) for seed in seeds]).to(device)
    trials: Trials[tuple[Tensor, Tensor]] = Trials(seeds, store)
    counter = CountedSteps(progress, UPDATES * len(SIZES))

    def train(batch_size: BatchSize) -> tuple[Tensor, Tensor]:
        """The weights at the end, from the sharp and from the flat well: (S, 2) each."""
        # One stack holds both starts, so that a seed's two runs see the same batches.
        steps = batches(
            (torch.cat([tilt, tilt]),), [*seeds, *seeds], size_of(batch_size, SAMPLES), UPDATES
        )
        w = descended(
            torch.cat([sharp, flat]), counter.over(steps, f"batch size {batch_size}"), losses, LR
        )
        from_sharp, from_flat = torch.split(w, len(seeds))
        return from_sharp, from_flat

    for batch_size in SIZES:
        trials.train(str(batch_size), partial(train, batch_size), lambda ends: ends)
    arms = {
        str(batch_size): _arm(batch_size, *(is_in_sharp(w[trials.kept]) for w in ends))
        for batch_size in SIZES
        if (ends := trials.ends.get(str(batch_size))) is not None
    }
    needs = str(SIZES[-1]), str(SIZES[0])
    verdict = trials.verdict(lambda: escape(*(arms[name] for name in needs)), needs)
    return trials.complete(_report(verdict, tuple(arms.values()), sharp, tilt))


def _arm(batch_size: BatchSize, in_sharp_from_sharp: Tensor, in_sharp_from_flat: Tensor) -> Arm:
    left_flat = share(_LEFT_FLAT, in_sharp_from_flat.tolist())
    return counted(batch_size, (~in_sharp_from_sharp).tolist(), (left_flat,))


def _report(verdict: Verdict, arms: tuple[Arm, ...], starts: Tensor, tilt: Tensor) -> Report:
    listing = find("sharp-minimum")
    radius = starts.norm(dim=-1)
    bottom = torch.zeros(len(tilt), 2, dtype=torch.float64, device=tilt.device, requires_grad=True)
    (gradient,) = torch.autograd.grad(losses([bottom], tilt).sum(), bottom)
    return Report(
        experiment=listing.name,
        claim=listing.claim,
        verdict=verdict,
        rule=ESCAPE_RULE,
        meaning=_MEANING.get(verdict, ""),
        measured="seeds that started in the sharp well's basin and ended outside it",
        seeds=len(arms[0].per_seed),
        varied="the batch size",
        held=(
            f"two wells of equal depth, {DISTANCE:g} apart, curvature {SHARP:g} and {FLAT:g}",
            f"{SAMPLES} samples whose gradients differ by σ = {NOISE:g}, equally in both wells; "
            "redrawn for each seed, the same for all arms",
            f"lr {LR:g}, {UPDATES:,} updates of plain SGD, float64",
        ),
        notes=(
            f"lr × curvature is {LR * SHARP:g} in the sharp well and {LR * FLAT:g} in the flat "
            "one: below 2, so gradient descent is stable in both, and no escape is a divergence.",
            f"Starts are drawn uniformly from the sharp basin: {radius.min():.3f} to "
            f"{radius.max():.3f} from its bottom. The largest full-batch gradient there is "
            f"{gradient.abs().max().item():g}.",
        ),
        arms=arms,
        source=listing.source,
        device=str(tilt.device),
    )
