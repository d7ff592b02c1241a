"""Test that noise makes training leave a saddle: rank-one PCA, started exactly on the minor axis.

loss(w) = ¼ mean ‖x − w(w·x)‖². Its stationary points of length 1 are the eigenvectors of the sample
covariance: the major one is the minimum, the minor one a saddle with curvature −(λ₁ − λ₂)/2 towards
the minimum. On both axes the full gradient towards the other axis is exactly zero; the gradient of
a batch is not.
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
from engine.experiments.verdicts import ESCAPE_RULE, counted, escape
from engine.jobs.messages import ReportProgress
from engine.settings import FULL, BatchSize

SIZES: Final[tuple[BatchSize, ...]] = (FULL, 64, 1)
SAMPLES: Final = 2000
VARIANCES: Final = (2.0, 1.0)
LR: Final = 0.02
UPDATES: Final = 2000
"""lr × gap ÷ 2 × updates is near 20; at 40, rounding alone grows to the size of the weights."""

_ROUNDING: Final = 2.0**-53 * 4
"""Bound on one update's rounding: sum, gradient, product and difference each round once."""

_MEANING: Final = {
    Verdict.SUPPORTED: (
        "Where the gradient is exactly zero, full batch cannot leave, however long it trains. "
        "The gradient of a batch of a few samples is not zero, which is enough to leave."
    ),
    Verdict.NOT_SUPPORTED: (
        "Here the lesson does not hold: batch size did not decide which arms leave the saddle. "
        "The counts above show the exceptions."
    ),
    Verdict.UNDECIDED: (
        "The intervals are too wide to tell. More seeds (--seeds) narrow them."
    ),
}  # fmt: skip


def losses(parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    """¼ mean ‖x − w(w·x)‖² of each seed; w (S, 2), x (S, b, 2)."""
    (w,) = parameters
    rest = x - (x * w[:, None]).sum(-1, keepdim=True) * w[:, None]
    return rest.square().sum(-1).mean(-1) / 4


def samples(seed: int) -> Tensor:
    """(n, 2), normal, with the variances above; drawn on the CPU: the same for every device."""
    generator = torch.Generator().manual_seed(seed)
    spread = torch.tensor(VARIANCES, dtype=torch.float64).sqrt()
    return torch.randn(SAMPLES, 2, generator=generator, dtype=torch.float64) * spread


def axes(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalue gap λ₁ − λ₂ (S,), minor and major eigenvector (S, 2) of x's covariance."""
    values, vectors = torch.linalg.eigh(x.mT @ x / x.shape[1])
    return values[:, 1] - values[:, 0], vectors[:, :, 0], vectors[:, :, 1]


def run(
    seeds: Sequence[int],
    device: torch.device,
    progress: ReportProgress,
    store: ArmStore | None = None,
) -> Report:
    """Train every arm on every seed; see engine.experiments.run."""
    device = place(device)
    on_host = torch.stack([samples(seed) for seed in seeds])
    gap, minor, major = (tensor.to(device) for tensor in axes(on_host))
    x = on_host.to(device)
    trials: Trials[Tensor] = Trials(seeds, store)
    counter = CountedSteps(progress, UPDATES * len(SIZES))

    def train(batch_size: BatchSize) -> Tensor:
        """The weights at the end, (S, 2)."""
        steps = batches((x,), seeds, size_of(batch_size, SAMPLES), UPDATES)
        return descended(minor, counter.over(steps, f"batch size {batch_size}"), losses, LR)

    for batch_size in SIZES:
        trials.train(str(batch_size), partial(train, batch_size), lambda w: [w])
    kept = trials.kept
    arms, drift = {}, 0.0
    for batch_size in SIZES:
        if (w := trials.ends.get(str(batch_size))) is None:
            continue
        towards = (w * major).sum(-1).abs()[kept]
        if batch_size == FULL:
            drift = towards.max().item()
        left = towards > (w * minor).sum(-1).abs()[kept]
        arms[str(batch_size)] = counted(batch_size, left.tolist())
    ends = str(SIZES[-1]), str(SIZES[0])
    verdict = trials.verdict(lambda: escape(*(arms[end] for end in ends)), needs=ends)
    report = _report(verdict, tuple(arms.values()), _notes(gap, drift), str(device))
    return trials.complete(report)


def _report(verdict: Verdict, arms: tuple[Arm, ...], notes: tuple[str, ...], device: str) -> Report:
    listing = find("saddle")
    return Report(
        experiment=listing.name,
        claim=listing.claim,
        verdict=verdict,
        rule=ESCAPE_RULE,
        meaning=_MEANING.get(verdict, ""),
        measured="seeds whose weights end closer to the minimum's axis than to the saddle's axis",
        seeds=len(arms[0].per_seed),
        varied="the batch size",
        held=(
            f"{SAMPLES:,} samples of 2 features with variances {VARIANCES[0]:g} and "
            f"{VARIANCES[1]:g}, redrawn for each seed, the same for all arms",
            "the start: exactly on the minor eigenvector of the sample covariance, the saddle",
            f"lr {LR:g}, {UPDATES:,} updates of plain SGD, float64",
        ),
        notes=notes,
        arms=arms,
        source=listing.source,
        device=device,
    )


def _notes(gap: Tensor, drift: float) -> tuple[str, ...]:
    """Notes on how far rounding alone can have moved full batch: the reason for float64."""
    rate = LR * gap / 2
    growth = (1 + rate) ** UPDATES
    bound = (_ROUNDING * (growth / rate)).max().item()
    return (
        "Away from the saddle, rounding errors grow by 1 + lr × (λ₁ − λ₂)/2 per update, up to "
        f"e^{math.log(growth.max().item()):.1f} in all: they can move full batch {bound:.0e} away "
        f"from the saddle, and moved it {drift:.0e} at most (the minimum is 1 away).",
        "In float32, these errors become as large as the weights, and full batch can leave by "
        "rounding alone.",
    )
