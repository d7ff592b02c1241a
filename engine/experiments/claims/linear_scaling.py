"""Test, on the lesson's problem, that the curves coincide if the lr scales linearly with the batch.

Uses the problem, initial weights, order of samples and settings with which `gdtui` starts by
default. The curves are the losses on all data before the first epoch and after each epoch.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.experiments.arm_store import ArmStore
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
from engine.experiments.verdicts import below, figure, valued
from engine.jobs.messages import ReportProgress
from engine.problems import registry
from engine.problems.opening import tensors_of
from engine.settings import DEFAULT_BATCH_SIZES, BatchSize, LrScaling, VariantSettings
from engine.statistics.folding import FOLDED
from engine.statistics.intervals import Interval

SIZES: Final = DEFAULT_BATCH_SIZES
EPOCHS: Final = 20

_RULE: Final = (
    f"supported: under linear the 95% interval of the mean gap lies below {FOLDED:g}, and below "
    "the mean gap under each other rule; not supported: above any of these; otherwise undecided"
)
_MEANING: Final = {
    Verdict.SUPPORTED: (
        "On the sample axis the three batch sizes train along one curve when the lr scales with "
        "the batch. This holds while the scaled lr is far below 2 ÷ curvature. Above that, large "
        "batches leave the curve."
    ),
    Verdict.NOT_SUPPORTED: (
        "Here the lesson does not hold: with the lr scaled linearly, the curves stay apart. "
        "The gaps above show by how much."
    ),
    Verdict.UNDECIDED: (
        "The intervals are too wide to tell. More seeds (--seeds) narrow them."
    ),
}  # fmt: skip


def losses(parameters: Sequence[Tensor], inputs: Tensor, target: Tensor) -> Tensor:
    """Mean binary cross-entropy of each seed's logistic regression.

    Shapes (S, b, 10) and (S, b).
    """
    scores = perceptron(parameters, inputs).squeeze(-1)
    return functional.binary_cross_entropy_with_logits(scores, target, reduction="none").mean(1)


@dataclass(frozen=True, slots=True)
class Stack:
    """S models of the problem with their data, and an lr for each."""

    data: Data
    weights: Sequence[Tensor]
    """Trained in place."""
    seeds: Sequence[int]
    lr: Tensor
    """(S,)."""


def curves(stack: Stack, epochs: Iterable[Iterable[Data]]) -> Tensor:
    """Losses on all data before the first epoch and after each epoch, (epochs + 1, S)."""

    def on_all() -> Tensor:
        with torch.no_grad():
            return losses(stack.weights, *stack.data)

    found = [on_all()]
    for batches in epochs:
        for batch in batches:
            descend(stack.weights, losses, batch, stack.lr)
        found.append(on_all())
    return torch.stack(found)


def run(
    seeds: Sequence[int],
    device: torch.device,
    progress: ReportProgress,
    store: ArmStore | None = None,
) -> Report:
    """Train every batch size under every rule on every seed; see engine.experiments.run."""
    device = place(device)
    data, models = load(seeds, device)
    n = data[0].shape[1]
    sizes = [size_of(batch_size, n) for batch_size in SIZES]
    counter = CountedSteps(progress, sum(EPOCHS * math.ceil(n / size) for size in sizes))
    trials: Trials[Tensor] = Trials(seeds, store)

    def train(batch_size: BatchSize, size: int) -> Tensor:
        """The curves under every rule, (S, rules, epochs + 1)."""
        stack = _under_all_rules(data, models, seeds, batch_size)
        epochs = (
            epoch_batches(stack.data, stack.seeds, epoch, size) for epoch in range(1, EPOCHS + 1)
        )
        doing = f"batch size {batch_size}"
        found = curves(stack, (counter.over(batches, doing) for batches in epochs))
        return found.view(-1, len(LrScaling), len(seeds)).permute(2, 1, 0)

    for batch_size, size in zip(SIZES, sizes, strict=True):
        trials.train(str(batch_size), partial(train, batch_size, size), lambda curves: [curves])
    kept = trials.kept
    together = torch.stack([found[kept] for found in trials.ends.values()])
    gaps = (together.amax(0) - together.amin(0)).amax(-1)  # (S, rules)
    arms = {
        rule: _arm(rule, gaps[:, at], dict(zip(trials.ends, together[:, :, at, -1], strict=True)))
        for at, rule in enumerate(LrScaling)
    }
    verdict = trials.verdict(lambda: _verdict(arms), map(str, SIZES))
    return trials.complete(_report(verdict, tuple(arms.values()), device))


def load(seeds: Sequence[int], device: torch.device) -> tuple[Data, list[nn.Module]]:
    """The lesson's data in float64, and a model per seed with the initial weights of training."""
    data, models = [], []
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            problem = registry.load("synthetic", seed)
            torch.manual_seed(seed)  # as engine.training.trainer does
            models.append(problem.model())
            data.append([tensor.double() for tensor in tensors_of(problem)])
    return tuple(torch.stack(row).to(device) for row in zip(*data, strict=True)), models


def _under_all_rules(
    data: Data, models: Sequence[nn.Module], seeds: Sequence[int], batch_size: BatchSize
) -> Stack:
    """A stack of all seeds for each rule in turn; one stack will do, as only the lr differs."""
    n, device = data[0].shape[1], data[0].device
    settings = [VariantSettings(batch_size=batch_size, lr_scaling=rule) for rule in LrScaling]
    lr = torch.tensor([each.resolve(n).lr for each in settings], dtype=torch.float64, device=device)
    times = len(settings)
    return Stack(
        data=tuple(torch.cat([tensor] * times) for tensor in data),
        weights=weights_of([*models] * times, device),
        seeds=[*seeds] * times,
        lr=lr.repeat_interleave(len(seeds)),
    )


def _arm(rule: LrScaling, gaps: Tensor, ends: Mapping[str, Tensor]) -> Arm:
    """`gaps`, and `ends`, the losses after the last epoch by batch size, have shape (S,)."""
    figures = [figure(f"final loss, batch size {size}", end.tolist()) for size, end in ends.items()]
    return valued(str(rule), None, gaps.tolist(), tuple(figures))


def verdict_of(linear: Interval, others: Sequence[float]) -> Verdict:
    """Compare the gap under linear scaling with FOLDED and with the gaps of the other rules."""
    return below([(linear, limit) for limit in (FOLDED, *others)])


def _verdict(arms: Mapping[LrScaling, Arm]) -> Verdict:
    others = [arm.interval[0] for rule, arm in arms.items() if rule is not LrScaling.LINEAR]
    return verdict_of(arms[LrScaling.LINEAR].interval, others)


def _report(verdict: Verdict, arms: tuple[Arm, ...], device: torch.device) -> Report:
    listing = find("linear-scaling")
    defaults = VariantSettings()
    return Report(
        experiment=listing.name,
        claim=listing.claim,
        verdict=verdict,
        rule=_RULE,
        meaning=_MEANING.get(verdict, ""),
        measured="widest gap between the curves of full batch, 64 and 1 at the end of any epoch, "
        "mean over seeds",
        seeds=len(arms[0].per_seed),
        varied="the rule that scales the lr with the batch: none, linear, square root",
        held=(
            "the lesson's problem: 2,000 samples, 10 features, logistic regression; redrawn for "
            "each seed",
            "initial weights and order of each epoch, the same for all rules and batch sizes",
            f"base lr {defaults.lr:g} at batch {defaults.base_batch}, {EPOCHS} epochs of plain "
            "SGD, float64",
        ),
        arms=arms,
        source=listing.source,
        device=str(device),
    )
