"""Test, on a few digits, if small batches end in flatter minima that generalise better.

Both are measured at equal epochs, as in the lesson, and again at the point where each seed's
training loss first fell to a common level. Further training alone makes a minimum flatter, since
the Hessian of the cross-entropy vanishes with the loss; the second comparison excludes that cause.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.experiments.arm_store import ArmStore
from engine.experiments.claims.minima import ArmState, Difference, Differences, Ends
from engine.experiments.registry import find
from engine.experiments.report import Arm, Report, Verdict
from engine.experiments.stacked import (
    CountedSteps,
    Data,
    descend,
    epoch_batches,
    perceptron,
    place,
    size_of,
    weights_of,
)
from engine.experiments.trials import Trials
from engine.experiments.verdicts import all_above_zero, figure, valued
from engine.jobs.messages import ReportProgress
from engine.measure.curvature import top_eigenvalues
from engine.problems.parts.extras import needs_extra
from engine.settings import FULL, BatchSize

SIZES: Final[tuple[BatchSize, ...]] = (FULL, 32, 4)
TRAINED_ON: Final = 200
HIDDEN: Final = 32
LR: Final = 0.2
EPOCHS: Final = 800
"""Enough epochs for every arm to fit its training set without error: the test compares minima."""
LEVEL: Final = 0.1
"""Training loss at which the arms are compared a second time."""

_RULE: Final = (
    "supported: the 95% intervals of full batch minus the smallest batch, seed by seed, lie above "
    "0 for the validation gap and for the sharpness at equal epochs; not supported: one lies below "
    "0; otherwise undecided"
)
_MEANING: Final = {
    Verdict.SUPPORTED: (
        "At equal epochs, the small batch ended in a flatter minimum and made fewer errors on "
        "unseen digits."
    ),
    Verdict.NOT_SUPPORTED: (
        "Here the lesson does not hold: a small batch was not both flatter and better on unseen "
        "digits. A small batch alone does not guarantee generalisation."
    ),
    Verdict.UNDECIDED: (
        "The two minima differ too little, or too irregularly, to decide with these seeds. "
        "An effect that takes more seeds to show is a small one."
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Digits:
    """A draw for each seed: (S, 200, 64) and (S, 200) to train on, the other 1,597 to validate."""

    train: Data
    validation: Data


_CONTROL: Final = {
    Verdict.SUPPORTED: "It also did so at equal training loss, so more updates are not the reason.",
    Verdict.NOT_SUPPORTED: (
        "At equal training loss it was not both, so the gain comes from the larger number of "
        "updates, not from small batches as such."
    ),
    Verdict.UNDECIDED: "At equal training loss, the intervals of these seeds are too wide to tell.",
}


def losses(parameters: Sequence[Tensor], inputs: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of each seed; shapes (S, b, 64) and (S, b)."""
    scores = perceptron(parameters, inputs).mT
    return functional.cross_entropy(scores, target, reduction="none").mean(1)


def errors(parameters: Sequence[Tensor], data: Data) -> Tensor:
    """Share of the samples that each seed's model gets wrong, (S,)."""
    inputs, target = data
    return (perceptron(parameters, inputs).argmax(-1) != target).double().mean(1)


def load(seeds: Sequence[int], device: torch.device) -> Digits:
    """scikit-learn's 1,797 digits of 8×8 pixels; SettingsError if it is not installed."""
    with needs_extra("experiment flat-generalises"):
        from sklearn.datasets import load_digits  # type: ignore[import-untyped]
    pixels, labels = load_digits(return_X_y=True)
    inputs, target = torch.from_numpy(pixels / 16), torch.from_numpy(labels)
    order = torch.stack(
        [
            torch.randperm(len(target), generator=torch.Generator().manual_seed(seed))
            for seed in seeds
        ]
    )
    parts = [
        tuple(tensor[part].to(device) for tensor in (inputs, target))
        for part in (order[:, :TRAINED_ON], order[:, TRAINED_ON:])
    ]
    return Digits(*parts)


def first_weights(seeds: Sequence[int], device: torch.device) -> list[Tensor]:
    """torch's default initialisation of 64 → 32 → 10 with tanh, drawn for each seed."""
    models = []
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            torch.manual_seed(seed)
            models.append(nn.Sequential(nn.Linear(64, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 10)))
    return weights_of(models, device)


def train(
    weights: list[Tensor], data: Data, epochs: Iterator[Iterator[Data]]
) -> tuple[list[Tensor], Tensor]:
    """Train in place; return the weights at which each seed first reached LEVEL.

    The second result, (S,), is True for the seeds that did.
    """
    at_level = [weight.detach().clone() for weight in weights]
    there = torch.zeros(len(data[0]), dtype=torch.bool, device=data[0].device)
    for batches in epochs:
        for batch in batches:
            descend(weights, losses, batch, LR)
        with torch.no_grad():
            new = (losses(weights, *data) <= LEVEL) & ~there
            if new.any():
                for kept, weight in zip(at_level, weights, strict=True):
                    kept[new] = weight[new]
                there |= new
    return at_level, there


def measure(weights: Sequence[Tensor], digits: Digits) -> ArmState:
    """The measurements of an arm at these weights."""
    weights = [weight.detach().requires_grad_() for weight in weights]
    with torch.no_grad():
        training_error, training_loss = (
            errors(weights, digits.train),
            losses(weights, *digits.train),
        )
        gap = errors(weights, digits.validation) - training_error
        loss_gap = losses(weights, *digits.validation) - training_loss
    sharp = top_eigenvalues(lambda parameters: losses(parameters, *digits.train), weights)
    return ArmState(gap, sharp, loss_gap, training_error, training_loss)


def run(
    seeds: Sequence[int],
    device: torch.device,
    progress: ReportProgress,
    store: ArmStore | None = None,
) -> Report:
    """Train every batch size on every seed; see engine.experiments.run."""
    device = place(device)
    digits = load(seeds, device)
    sizes = [size_of(batch_size, TRAINED_ON) for batch_size in SIZES]
    counter = CountedSteps(progress, sum(EPOCHS * math.ceil(TRAINED_ON / size) for size in sizes))
    trials: Trials[Ends] = Trials(seeds, store, (Ends, ArmState))

    def train_arm(batch_size: BatchSize, size: int) -> Ends:
        weights = first_weights(seeds, device)
        epochs = (
            counter.over(
                epoch_batches(digits.train, seeds, epoch, size), f"batch size {batch_size}"
            )
            for epoch in range(1, EPOCHS + 1)
        )
        at_level, there = train(weights, digits.train, epochs)
        return Ends(measure(weights, digits), measure(at_level, digits) if there.all() else None)

    for batch_size, size in zip(SIZES, sizes, strict=True):
        trials.train(str(batch_size), partial(train_arm, batch_size, size), Ends.values)
    ends = {
        batch_size: end.of(trials.kept)
        for batch_size in SIZES
        if (end := trials.ends.get(str(batch_size))) is not None
    }
    arms = tuple(_arm(batch_size, end) for batch_size, end in ends.items())
    full, small = ends.get(SIZES[0]), ends.get(SIZES[-1])
    less = None if full is None or small is None else Differences.between(full, small)
    return trials.complete(_report(arms, less, device))


def _arm(batch_size: BatchSize, ends: Ends) -> Arm:
    end, level = ends.end, ends.level
    figures = [
        figure("sharpness", end.sharpness.tolist()),
        figure("validation loss − training loss", end.loss_gap.tolist()),
        figure("training loss", end.training_loss.tolist()),
        figure("training error", end.training_error.tolist()),
    ]
    if level is not None:
        figures += [
            figure(f"sharpness at training loss {LEVEL:g}", level.sharpness.tolist()),
            figure(f"validation gap at training loss {LEVEL:g}", level.gap.tolist()),
        ]
    return valued(str(batch_size), batch_size, end.gap.tolist(), tuple(figures))


def _meaning(verdict: Verdict, level: Difference | None) -> str:
    if verdict is not Verdict.SUPPORTED or level is None:
        return _MEANING.get(verdict, "")
    return f"{_MEANING[verdict]} {_CONTROL[all_above_zero([level.gap, level.sharpness])]}"


def _report(arms: tuple[Arm, ...], less: Differences | None, device: torch.device) -> Report:
    verdict = Verdict.NOT_GIVEN
    notes: tuple[str, ...] = ()
    if less is not None:
        verdict = all_above_zero([less.end.gap, less.end.sharpness])
        notes = (
            f"Full batch minus batch size {SIZES[-1]}, seed by seed: {less.end}.",
            *_control(less.level),
        )
    listing = find("flat-generalises")
    return Report(
        experiment=listing.name,
        claim=listing.claim,
        verdict=verdict,
        rule=_RULE,
        meaning=_meaning(verdict, less.level if less else None),
        measured="validation gap: error rate on unseen digits minus training error rate, "
        "mean over seeds",
        seeds=len(arms[0].per_seed),
        varied="the batch size",
        held=(
            f"scikit-learn's digits: {TRAINED_ON} to train on, the other 1,597 to validate, drawn "
            "by seed",
            f"64 → {HIDDEN} → 10 with tanh, cross-entropy; the same initial weights and order for "
            "all arms",
            f"lr {LR:g}, {EPOCHS} epochs of plain SGD, float64: small batches make more updates",
        ),
        notes=(
            *notes,
            "Sharpness is the top eigenvalue of the Hessian of the training loss. It is not "
            "invariant: it changes if weights are rescaled, the function not (Dinh et al. 2017, "
            "arXiv:1703.04933).",
        ),
        arms=arms,
        source=listing.source,
        device=str(device),
    )


def _control(level: Difference | None) -> tuple[str, ...]:
    if level is None:
        return ("Not every arm reached the training loss required for the second comparison.",)
    return (
        f"The same comparison when each seed's training loss first fell to {LEVEL:g}: {level}.",
    )
