"""Every figure on the screen: its definition, unit, formula and source.

The explain view shows it. A test checks that every figure on the screen has an entry.
"""

import math
from typing import Final

from gdtui.lesson.glossary_entry import OURS as OURS
from gdtui.lesson.glossary_entry import GlossaryEntry as GlossaryEntry
from gdtui.lesson.glossary_entry import as_number, signal_to_noise
from gdtui.state.variant import SMOOTHING, VariantState
from gdtui.view.text import formatting
from gdtui.view.text.formatting import number


def _noise_scale(one: VariantState) -> str:
    found = one.tally.noise_scale
    if found is None:
        return "–"
    if not found.is_finite:
        return "not finite"
    if not found.is_reliable:
        return "not reliable yet"
    return f"{number(found.value)} ({number(found.low)}–{number(found.high)})"


def _sharpness(one: VariantState) -> float:
    found = one.tally.sharpness.sharpness if one.tally.sharpness else None
    return found.value if found else math.nan


def _edge(one: VariantState) -> float:
    edge = one.tally.sharpness.edge if one.tally.sharpness else None
    return math.nan if edge is None else edge


FIGURES: Final[tuple[GlossaryEntry, ...]] = (
    GlossaryEntry(
        name="loss",
        labels=("smooth", "~", "smoothed"),
        unit="of the problem's loss; nats for cross-entropy",
        definition="The batch losses, smoothed by a mean whose weights fade with the samples that "
        "have passed; w sets the time constant τ, one for all variants, so that equal smoothing "
        "means equal data.",
        formula="α = 1 − exp(−samples in the batch ÷ τ), debiased by 1 − Π(1 − α)",
        source="debiasing: Kingma & Ba 2015, arXiv:1412.6980, sec. 3",
        value=as_number(lambda one: one.smoothed(SMOOTHING)),
    ),
    GlossaryEntry(
        name="loss of a batch",
        labels=("L",),
        unit="of the problem's loss",
        definition="The problem's loss of one batch, at the weights before its update; "
        "drawn at the samples seen before it, since that is the model that had this loss.",
    ),
    GlossaryEntry(
        name="all data",
        labels=("◆", "◆ all data", "full loss"),
        unit="of the problem's loss",
        definition="The loss of all training samples in eval mode, measured before the first "
        "epoch and after each; where that would take more than 1% of the time, after some and "
        "after the last; pale once another epoch has ended since. If all data would hold back the "
        "first update, a random part is measured at first, and the number of its samples is "
        "shown. The weights do not move meanwhile: compare variants by this loss.",
        value=as_number(lambda one: one.tally.full_loss),
    ),
    GlossaryEntry(
        name="noise",
        labels=("σ", "noise σ", "spread", "spread, last epoch"),
        unit="of the problem's loss",
        definition="σ, the scatter of the batch losses around the smoothed loss before them, over "
        "the last epoch of samples; the histogram beside each chart shows the same. None below two "
        "batches an epoch, as at full batch.",
        formula="standard deviation of (batch loss − smoothed loss before it)",
        value=as_number(lambda one: one.spread),
    ),
    GlossaryEntry(
        name="held-out",
        labels=("◇", "validation"),
        unit="of the problem's loss",
        definition="The loss of samples kept out of training, in eval mode, at an epoch's end.",
        value=as_number(lambda one: one.tally.validation_loss),
    ),
    GlossaryEntry(
        name="generalisation gap",
        labels=("gap",),
        unit="of the problem's loss",
        definition="Held-out loss minus loss on all training data, at the same weights, where both "
        "were last measured: the part that was learnt of the training samples only.",
        formula="validation loss − full loss",
        value=as_number(lambda one: one.tally.generalisation_gap),
    ),
    GlossaryEntry(
        name="metric",
        labels=("accuracy", "error"),
        unit="as the problem defines it; accuracy from 0 to 1",
        definition="A further measure of the problem on held-out samples, averaged over samples.",
        value=lambda one: (
            ", ".join(f"{name} {number(value)}" for name, value in one.tally.metrics.items()) or "–"
        ),
    ),
    GlossaryEntry(
        name="updates",
        labels=("update", "u"),
        unit="count",
        definition="Steps of the optimiser. An update takes one batch or, with accumulation, "
        "several, and never crosses the end of an epoch.",
        value=lambda one: formatting.count(one.tally.updates),
    ),
    GlossaryEntry(
        name="batches",
        labels=("batch", "b"),
        unit="count",
        definition="Forward and backward passes. Each has its loss, and each loss is on the chart.",
        value=lambda one: formatting.count(one.tally.batches),
    ),
    GlossaryEntry(
        name="samples",
        labels=("n",),
        unit="count",
        definition="Samples trained on so far, counting every pass over the data: the axis on "
        "which batch sizes can be compared, since equal places mean equal work.",
        value=lambda one: formatting.count(one.tally.samples),
    ),
    GlossaryEntry(
        name="epoch",
        labels=("ep",),
        unit="count",
        definition="The current pass over the training data, from 1; the header shows the slowest "
        "variant's. One seed fixes each epoch's order, the same for every variant.",
        value=lambda one: formatting.count(one.tally.epoch),
    ),
    GlossaryEntry(
        name="seconds",
        labels=("sec", "s", "training"),
        unit="s",
        definition="Training time of this variant, without pauses, waits for the pace and "
        "measurements. Workers that share cores slow each other.",
        value=as_number(lambda one: one.tally.seconds),
    ),
    GlossaryEntry(
        name="samples/s",
        labels=("/s",),
        unit="samples per second of training",
        definition="Training speed over the last second of training time.",
        value=lambda one: "–" if math.isnan(one.speed) else formatting.count(one.speed),
    ),
    GlossaryEntry(
        name="ms a batch",
        labels=("ms/batch", "ms"),
        unit="ms",
        definition="Training time of one forward and backward pass with its share of the update, "
        "over the last second of training time.",
        value=as_number(lambda one: one.batch_milliseconds),
    ),
    GlossaryEntry(
        name="peak memory",
        labels=("MiB", "GiB", "peak", "memory"),
        unit="MiB",
        definition="The highest use so far: of device memory as torch counts it or, on a CPU, of "
        "the worker process, including torch itself.",
        value=lambda one: f"{one.tally.peak_memory / 2**20:,.0f}" if one.tally.peak_memory else "–",
    ),
    GlossaryEntry(
        name="lr",
        unit="loss decrease per squared gradient: a step's length is lr × |gradient|",
        definition="The lr in force in the last update: the base lr, scaled by the rule to the "
        "effective batch, times the factor of the schedule.",
        formula="none: base; linear: base × r; sqrt: base × √r, with r = effective ÷ base batch",
        source="linear: Goyal et al. 2017, arXiv:1706.02677; square root: Krizhevsky 2014, "
        "arXiv:1404.5997",
        value=lambda one: formatting.rounded(now.lr) if (now := one.tally.resolved) else "–",
    ),
    GlossaryEntry(
        name="batch size",
        labels=("size", "of"),
        unit="samples",
        definition="Samples in one forward and backward pass; ×k when k batches make one update.",
        value=lambda one: formatting.short_batch(one.tally.settings.batch_size, one.tally.n),
    ),
    GlossaryEntry(
        name="effective batch",
        unit="samples",
        definition="Samples behind one update: all accumulated ones, at most an epoch's. Lr "
        "scaling and the noise scale refer to this batch.",
        formula="min(batch size × accumulation, n)",
        value=lambda one: f"{now.effective_batch:,}" if (now := one.tally.resolved) else "–",
    ),
    GlossaryEntry(
        name="accumulation",
        labels=("accum",),
        unit="batches an update",
        definition="Batches whose gradients are added, weighted by what their loss averages over, "
        "before the optimiser steps: the gradient of one large batch, in a small one's memory.",
        value=lambda one: formatting.count(one.tally.settings.accumulation_steps),
    ),
    GlossaryEntry(
        name="momentum",
        labels=("mom",),
        unit="from 0 up to 1",
        definition="The share of the last step that is added to the next: with 0.9 a steady "
        "gradient moves the weights ten times as far in the end.",
        formula="v ← β v + g, w ← w − lr v",
        source="Polyak 1964; as torch.optim.SGD has it",
        value=lambda one: formatting.setting(one.tally.settings.momentum),
    ),
    GlossaryEntry(
        name="noise scale",
        labels=("B",),
        unit="samples",
        definition="B, the batch size at which noise and gradient weigh the same in an update. "
        "Much smaller batches are mostly noise; much larger ones are mostly redundant. Averaged "
        "over the last measurements, each at ¾ of the next, while they agree within their errors; "
        "“not reliable yet” while the ends of its 95% interval are 4 × apart.",
        formula="B = tr(Σ) ÷ |G|², both averaged apart, then divided",
        source="McCandlish et al. 2018, arXiv:1812.06162, eq. 2.9 and appendix A",
        value=_noise_scale,
    ),
    GlossaryEntry(
        name="signal-to-noise",
        labels=("snr", "gradient noise"),
        unit="ratio",
        definition="The squared length of an update's gradient ÷ the expected squared length of "
        "its error, at the effective batch in force, from the smoothed |G|² and tr(Σ) of the noise "
        "scale. The sweep's gradient noise is 1 ÷ its square root.",
        formula="|G|² ÷ (tr(Σ) (1/b − 1/n))",
        source="McCandlish et al. 2018, arXiv:1812.06162",
        value=signal_to_noise,
    ),
    GlossaryEntry(
        name="curvature",
        labels=("λ", "curvature λ", "sharpness"),
        unit="of loss per squared unit of weight",
        definition="λ, called sharpness in papers: the largest eigenvalue of the Hessian of the "
        "loss on all data; ≈ marks one of a random part of large data, or of a large model.",
        formula="max eigenvalue of ∇²L, by Lanczos on Hessian-vector products",
        source="Keskar et al. 2017, arXiv:1609.04836; Cohen et al. 2021, arXiv:2103.00065",
        value=as_number(_sharpness),
    ),
    GlossaryEntry(
        name="edge of stability",
        labels=("limit", "2/lr", "3.8/lr", "2(1+β)/lr"),
        unit="of loss per squared unit of weight",
        definition="The curvature beyond which steps of full-batch gradient descent grow instead "
        "of settling; β: momentum. Undefined for optimisers that scale each weight's step.",
        formula="2 (1 + β) ÷ lr",
        source="Cohen et al. 2021, arXiv:2103.00065, eq. 1",
        value=as_number(_edge),
    ),
    GlossaryEntry(
        name="last epoch",
        labels=("final loss",),
        unit="of the problem's loss",
        definition="The plain mean of the batch losses of the last epoch. The weights move while "
        "it is taken, and at full batch it lags an update behind.",
        value=as_number(lambda one: one.tally.final_loss),
    ),
    GlossaryEntry(
        name="the lesson's “variance”",
        labels=("std", "“variance”", "variance"),
        unit="of the problem's loss",
        definition="Standard deviation of the epochs' mean losses over the whole run. The lesson "
        "prints it and calls it variance; it mostly shows how far the loss fell, not how noisy it "
        "was: that is the noise σ. --json has it as std, and its square as variance.",
        formula="√mean((epoch loss − mean)²), of the population (ddof 0)",
        value=as_number(lambda one: one.tally.std),
    ),
    GlossaryEntry(
        name="pace",
        labels=("epoch/s", "epochs/s"),
        unit="epochs per second",
        definition="Speed limit of all variants, so that they advance together; free: as fast as "
        "the device goes. A variant that cannot keep up is “behind”. The pace changes no loss.",
    ),
    GlossaryEntry(
        name="clock",
        labels=("left",),
        unit="minutes:seconds",
        definition="Time in which anything trained; “left”: until the last variant ends, at its "
        "pace or, if it cannot keep that, at its speed.",
    ),
    GlossaryEntry(
        name="principal components",
        labels=("principal plane of the paths", "the paths' variance"),
        unit="share from 0 to 1",
        definition="The landscape's plane is laid through the directions in which the variants' "
        "weights moved most; the share says how much of their movement lies in it. Movement "
        "outside the plane is not seen. Layers that normalise by running statistics, such as "
        "BatchNorm, re-estimate these at each point: those gathered in training belong to the "
        "weights of the paths only.",
        source="Li et al. 2018, arXiv:1712.09913, sec. 7; statistics: Izmailov et al. 2018, "
        "arXiv:1803.05407, sec. 3.2",
    ),
)


def find(label: str) -> GlossaryEntry | None:
    """The figure shown on the screen under this label."""
    return next((each for each in FIGURES if label in (each.name, *each.labels)), None)
