"""Explanations of the view in the lesson's terms, with the figures just measured.

Pure functions from the run's state to sentences. Every claim in them is cited, or measured in this
run.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from engine.log.measurements import NoiseScale
from engine.settings import LrScaling
from engine.statistics.folding import distance, have_folded
from gdtui.lesson import averaging
from gdtui.lesson.advice import advice
from gdtui.lesson.comparison import common_start, differences
from gdtui.lesson.glossary import FIGURES, GlossaryEntry
from gdtui.state.curves import MeasuredFigure
from gdtui.state.overlay.comparability import have_one_problem
from gdtui.state.store import Store
from gdtui.state.variant import SMOOTHING, VariantState
from gdtui.view.text import formatting
from gdtui.view.text.caveats.age import age, oldest
from gdtui.view.text.caveats.claims import contradiction
from gdtui.view.text.caveats.imported import is_foreign, is_imported, is_known
from gdtui.view.text.caveats.of_scripts import remarks
from gdtui.view.text.formatting import number

_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    **{name: (name,) for name in ("samples", "epoch", "seconds", "lr")},
    "updates": ("update",),
    "samples/s": ("samples", "seconds"),
    "ms a batch": ("seconds",),
    "batch size": ("batch_size",),
    "effective batch": ("batch_size", "accumulation_steps"),
    "accumulation": ("accumulation_steps",),
    "edge of stability": ("lr",),
    "last epoch": ("epoch",),
    "the lesson's “variance”": ("epoch",),
}
"""The columns of an imported CSV without which a figure is not known, by its name."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the paragraphs below it."""

    title: str
    paragraphs: tuple[str, ...]


def explain(store: Store, selected: int | None, *, is_ours: bool) -> list[Section]:
    """The view in focus, the settings, the figures, and the answer for an interview.

    `is_ours`: the run obeys keys that change how it trains; they are not mentioned to a watcher.
    """
    one = None if selected is None else store.states[selected]
    if all(map(is_foreign, store.states)):
        return [Section("What you see", tuple(_imported(store)))]
    return [
        Section("What you see", tuple(_overview(store) if one is None else _variant(one, is_ours))),
        *([Section(_about(store), said)] if (said := tuple(_problem(store))) else []),
        *([Section("How to read the figures", said)] if (said := tuple(remarks(store))) else []),
        Section("Why", tuple(_why(store, one, is_ours))),
        Section("In an interview", (interview(store),)),
    ]


def _imported(store: Store) -> Iterator[str]:
    names = _listed([one.tally.name for one in store.states])
    said = f"{names}: imported from {store.title}, so only what stood in that file is shown."
    if not all(map(is_imported, store.states)):
        said = f"{names}: read from what {store.title} printed, so only that is shown."
    if missing := dict.fromkeys(name for one in store.states for name in one.tally.assumed):
        said += f" It does not tell: {', '.join(missing).replace('_', ' ')}."
    yield said
    yield f"Noise σ of the batch losses: {_each(store, lambda one: one.spread)}."


def _about(store: Store) -> str:
    return "About this problem" if len(store.runs) == 1 else "About these runs"


def _problem(store: Store) -> Iterator[str]:
    averages = {one.tally.average for one in store.states}
    if len(averages) == 1 and (average := averages.pop()) is not None:
        yield averaging.sentence(average)
    if store.settings.reading is not None:
        yield store.settings.reading.sentence
    yield from store.settings.notes


def _overview(store: Store) -> Iterator[str]:
    names = _listed([f"{one.tally.name} (batch {_short_size(one)})" for one in store.states])
    yield f"{common_start(store, names)} {differences(store)}"
    yield (
        f"Noise σ of the batch losses: {_each(store, lambda one: one.spread)}. The fewer samples "
        "in a batch, the less its loss and its gradient say about all data."
    )
    losses = [one.tally.full_loss for one in store.states if math.isfinite(one.tally.full_loss)]
    if len(losses) > 1:
        is_old = any(one.tally.is_full_loss_old for one in store.states)
        ends = " / ".join(str(one.tally.full_loss_epoch) for one in store.states)
        when = (
            f"as last measured, after {ends} epochs"
            if is_old
            else f"after {_updates(store)} updates"
        )
        apart = f", {number(distance(losses))} apart" if have_one_problem(store.runs) else ""
        yield (
            f"The losses on all data (◆) are {_each(store, lambda one: one.tally.full_loss)}"
            f"{apart}, {when}."
        )


def _variant(one: VariantState, is_ours: bool) -> Iterator[str]:
    tally = one.tally
    if (force := tally.resolved) is None:
        yield f"{tally.name} has not started: its problem is being loaded."
        return
    per_epoch = math.ceil(tally.n / force.effective_batch)
    steps = (
        "" if force.accumulation_steps == 1 else f", {force.accumulation_steps} batches an update"
    )
    yield (
        f"{tally.name}: batch size {_size(one)}{steps}, lr {formatting.rounded(force.lr)}. An "
        f"epoch of {tally.n:,} samples is {per_epoch:,} "
        f"{'update' if per_epoch == 1 else 'updates'}; it has done {tally.updates:,}."
    )
    if force.is_full and force.accumulation_steps == 1:
        yield (
            "Its gradient is that of all data and exact, so its curve is a thin line without a "
            "noise σ. Each step costs a whole pass over the data."
        )
    else:
        yield (
            f"The noise σ of its batch losses is {number(one.spread)}, around a smoothed loss of "
            f"{number(one.smoothed(SMOOTHING))}: each batch is a sample of the data, and so is its "
            "gradient."
        )
    unscheduled = tally.settings.resolve(tally.n)
    yield advice(tally.settings, unscheduled.lr, unscheduled.effective_batch)
    yield from _measured(one, is_ours)
    measured = (MeasuredFigure.NOISE, MeasuredFigure.SHARPNESS)
    if ago := oldest([age(one, figure) for figure in measured]).words:
        yield f"These figures are old: the oldest was measured {ago}."


def _measured(one: VariantState, is_ours: bool) -> Iterator[str]:
    noise = one.tally.noise_scale
    force, sharp = one.tally.resolved, one.tally.sharpness
    if noise is None and sharp is None:
        how = "; press ! to measure them while a run is under way" if is_ours else ""
        yield f"Noise scale B and curvature λ have not been measured yet{how}."
    if noise is not None and not noise.is_finite:
        yield from _not_finite(noise)
    if noise is not None and noise.is_finite and not noise.is_reliable:
        least = f": at least {number(noise.low)} samples" if noise.low >= 1 else ""
        how = "; press ! to take one" if is_ours else ""
        yield f"The noise scale B is not known yet{least}. Each measurement narrows it down{how}."
    if noise is not None and noise.is_reliable and force is not None:
        if force.effective_batch < noise.value / 2:
            says = (
                "its updates are mostly noise, and a larger batch would steady them almost for free"
            )
        elif force.effective_batch > noise.value * 2:
            says = "its batches are largely redundant, and smaller ones would do as well"
        else:
            says = "noise and gradient weigh about the same in an update"
        yield (
            f"The noise scale B is {number(noise.value)} samples (95%: "
            f"{number(noise.low)}–{number(noise.high)}), the effective batch is "
            f"{force.effective_batch:,}: {says} (McCandlish et al. 2018)."
        )
    if sharp is not None and sharp.sharpness is not None and not sharp.sharpness.is_finite:
        yield "The curvature λ is not finite: a second derivative of the loss is NaN or infinite."
    elif sharp is not None and sharp.sharpness is not None and sharp.edge:
        yield (
            f"The curvature λ is {number(sharp.sharpness.value)}. Full-batch steps would grow if "
            f"it exceeded {number(sharp.edge)}, 2 (1 + momentum) ÷ lr (Cohen et al. 2021)."
        )


def _not_finite(noise: NoiseScale) -> Iterator[str]:
    which = (
        f"{noise.not_finite} of {noise.batches} gradients have"
        if noise.not_finite
        else "the sums over the gradients have"
    )
    yield (
        f"There is no noise scale B: at these weights, {which} a NaN or an infinity. Samples whose "
        "gradient is not finite are the usual reason, such as a square root or a logarithm of 0."
    )


def _why(store: Store, one: VariantState | None, is_ours: bool) -> Iterator[str]:
    rules = {each.tally.settings.lr_scaling for each in (store.states if one is None else [one])}
    if one is None and len(rules) == 1 and not store.varies_batch_alone:
        yield (
            "The variants differ in more than the batch size and the lr that follows from it, so "
            "no rule of scaling alone explains the order of their losses."
        )
        return
    if len(rules) > 1:
        how = ": press S to put all on the next one, from the same start" if is_ours else ""
        yield f"The variants follow different lr rules{how}."
        return
    match rules.pop():
        case LrScaling.NONE:
            then = "press S to scale" if is_ours else "the other rules scale"
            yield (
                "One lr for all: an update moves the weights about as far whatever its batch size, "
                "so the variant with the most updates per epoch gets furthest: here "
                f"{_updates(store)}. Noise is not the reason: {then} the lr with the batch size."
            )
            yield from filter(None, [contradiction(store.states)])
        case LrScaling.LINEAR:
            yield (
                "Linear scaling, lr = base × batch ÷ base batch: k small steps along nearly the "
                "same gradient equal one step k times as long while the weights move little (Goyal "
                "et al. 2017)."
            )
            yield from _folding(store, is_ours)
        case LrScaling.SQRT:
            yield (
                "Square-root scaling, lr = base × √(batch ÷ base batch): it keeps the variance of "
                "a step, not its mean (Krizhevsky 2014), so on the sample axis small batches still "
                "bring more progress."
            )
            yield from filter(None, [contradiction(store.states)])


def _folding(store: Store, is_ours: bool) -> Iterator[str]:
    losses = [one.tally.full_loss for one in store.states if math.isfinite(one.tally.full_loss)]
    epochs = {one.tally.full_loss_epoch for one in store.states}
    if len(losses) < 2 or len(epochs) > 1 or epochs == {0}:
        return
    how = ": press S to restart all for a fair comparison" if is_ours else ""
    says = f"they have not folded; present distances remain{how}"
    if have_folded(losses):
        says = "the curves have folded into one"
    apart = f"they lie {number(distance(losses))} apart on all data"
    yield f"Measured: after {epochs.pop()} epochs {apart}: {says}."


def interview(store: Store) -> str:
    """Three sentences, with what this run has measured."""
    return (
        "Full-batch gradient descent takes one exact step per pass over the data, SGD with batch "
        "size 1 takes one noisy step per sample, and mini-batches lie between (here noise "
        f"σ of batch loss: {_each(store, lambda one: one.spread)}). Mini-batches are the standard "
        "because a device computes many samples at once for little more than one, while beyond the "
        "gradient's noise scale more samples in a batch hardly improve the step (McCandlish et al. "
        "2018). When the batch grows, scale the lr with it to keep an epoch's work the same (Goyal "
        "et al. 2017), and where memory is short accumulate gradients, each weighted by what its "
        "loss averages over (mostly samples), which gives the same update."
    )


def _value(figure: GlossaryEntry, one: VariantState) -> str:
    """The value of a figure; "–" where an import does not tell it."""
    if figure.value is None or not is_known(one, *_COLUMNS.get(figure.name, ())):
        return "–"
    return "–" if is_foreign(one) and figure.name == "momentum" else figure.value(one)


def figure_lines(store: Store) -> list[tuple[GlossaryEntry, str]]:
    """Every figure with its value for each variant, "0.62 / 0.33 / 0.08", or "" if it has none."""
    lines = []
    for figure in FIGURES:
        values = [] if figure.value is None else [_value(figure, one) for one in store.states]
        known = any(value != "–" for value in values)
        lines.append((figure, " / ".join(values) if known else ""))
    return lines


def _each(store: Store, pick: Callable[[VariantState], float]) -> str:
    return " / ".join(number(pick(one)) for one in store.states)


def _updates(store: Store) -> str:
    return " / ".join(f"{one.tally.updates:,}" for one in store.states)


def _size(one: VariantState) -> str:
    return formatting.batch(one.tally.settings.batch_size, one.tally.n)


def _short_size(one: VariantState) -> str:
    return formatting.short_batch(one.tally.settings.batch_size, one.tally.n)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
