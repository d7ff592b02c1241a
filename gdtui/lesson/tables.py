"""The lesson's tables for this run: lr by batch size and rule, trade-offs, and its own result.

Pure functions from the state to cells of text. The words are the lesson's, the figures this run's.
"""

import math
from dataclasses import dataclass
from typing import Final

from engine.settings import FULL, LrScaling
from engine.sweep.contradiction import contradicted
from engine.sweep.table import SweepWords, lesson
from gdtui.state.curves import MeasuredFigure
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.caveats.age import age
from gdtui.view.text.caveats.imported import is_known
from gdtui.view.text.formatting import number

LESSON_BATCHES: Final = (32, 64, 128, 256, 512)


@dataclass(frozen=True, slots=True)
class TableRow:
    """A line of a table."""

    cells: tuple[str, ...]
    variants: tuple[int, ...] = ()
    """The positions of the variants in this line."""
    pale: frozenset[int] = frozenset()
    """Cells of figures that are old; cell 0 is the name."""


RULES: Final = ("effective batch", "none", "linear", "√")


def lr_by_batch(store: Store) -> list[TableRow]:
    """lr under each rule, for the lesson's batch sizes and those in force, at the base lr in force.

    A variant whose base lr differs from the first one's is in no row.
    """
    if not is_known(store.states[0], "lr", "batch_size"):
        return []
    base = store.states[0].wanted
    held: dict[int, list[int]] = {}
    for one in store.states:
        is_of_base = (one.wanted.lr, one.wanted.base_batch) == (base.lr, base.base_batch)
        if one.tally.resolved is not None and is_of_base:
            held.setdefault(one.tally.resolved.effective_batch, []).append(one.index)
    rows = []
    for size in sorted({*LESSON_BATCHES, *held}):
        lrs = [rule.scale(base.lr, base.base_batch, size) for rule in LrScaling]
        rows.append(
            TableRow(
                (f"{size:,}", *map(formatting.rounded, lrs)), variants=tuple(held.get(size, ()))
            )
        )
    return rows


TRADES: Final = ("gradient SNR", "samples/s", "memory", "gap")
CONTRADICTED: Final = "✗"
"""The mark of a word of the lesson that the measured column beside it contradicts."""
_COLUMNS: Final = ("gradient_quality", "gpu_efficiency", "memory", "generalisation")
_NOISE: Final = 0.01
"""A share of the loss on all data: smaller gaps are noise."""


def trade_offs(store: Store) -> list[TableRow]:
    """The gains and costs of each variant's batch size, measured and in the lesson's words.

    Before these stands whose: its name, its batch size. A line with the 95% interval of the
    signal-to-noise lies between them where it was measured.
    """
    words = _words(store)
    rows = []
    for one, said in zip(store.states, words, strict=True):
        rows.append(TableRow(_measured(one), (one.index,), _pale(one)))
        low, high = one.tally.signal_to_noise_interval
        if not (math.isnan(low) or math.isinf(one.tally.signal_to_noise)):
            rows.append(TableRow(("95%", f"{number(low, 2)}–{_end(high)}", "", "", "")))
        rows.append(TableRow(said))
    return rows


def _end(high: float) -> str:
    return "∞" if math.isinf(high) else number(high, 2)


def _measured(one: VariantState) -> tuple[str, ...]:
    tally, speed = one.tally, _speed(one)
    return (
        tally.name,
        number(tally.signal_to_noise),
        "–" if math.isnan(speed) else formatting.count(speed),
        f"{tally.peak_memory / 2**20:,.0f} MiB" if tally.peak_memory else "–",
        number(tally.generalisation_gap),
    )


def _speed(one: VariantState) -> float:
    """Samples a second; NaN where an import does not tell it."""
    return one.speed if is_known(one, "seconds", "samples") else math.nan


def _pale(one: VariantState) -> frozenset[int]:
    """The old cells; the peak of memory may be that of settings before."""
    changed = bool(one.current and one.current.changes)
    old = {
        1: age(one, MeasuredFigure.NOISE).is_old,
        3: changed,
        4: age(one, MeasuredFigure.GAP).is_old,
    }
    return frozenset(cell for cell, is_old in old.items() if is_old)


def _words(store: Store) -> list[tuple[str, ...]]:
    """The lesson's words for each variant, after its batch size; contradicted ones marked."""
    words = [_lesson(one) for one in store.states]
    figures = [
        (one.tally.signal_to_noise, _speed(one), one.tally.peak_memory or math.nan,
         one.tally.generalisation_gap)
        for one in store.states
    ]  # fmt: skip
    losses = [abs(one.tally.full_loss) for one in store.states]
    noise = _NOISE * max((loss for loss in losses if math.isfinite(loss)), default=0.0)
    columns = [
        contradicted(
            name,
            [getattr(each, name) if each else "" for each in words],
            column,
            noise if name == "generalisation" else 0.0,
        )
        for name, column in zip(_COLUMNS, zip(*figures, strict=True), strict=True)
    ]
    marks = zip(*columns, strict=True)
    return [
        _said(one, each, mark) for one, each, mark in zip(store.states, words, marks, strict=True)
    ]


def _lesson(one: VariantState) -> SweepWords | None:
    """The words for a batch size; None where an import does not tell it."""
    if not is_known(one, "batch_size"):
        return None
    is_full = one.tally.resolved is not None and one.tally.resolved.is_full
    return lesson(FULL if is_full else one.tally.settings.batch_size)


def _said(one: VariantState, words: SweepWords | None, marks: tuple[bool, ...]) -> tuple[str, ...]:
    if words is None:
        return ("", "", "", "", "")
    cells = (
        CONTRADICTED * mark + getattr(words, name)
        for name, mark in zip(_COLUMNS, marks, strict=True)
    )
    return (f"batch {formatting.short_batch(one.tally.settings.batch_size, one.tally.n)}", *cells)


RESULT: Final = ("final loss", "“variance”", "noise σ")


def lesson_result(store: Store) -> list[TableRow]:
    """The lesson's own result: final loss and “variance”, beside the noise that it is not."""
    return [
        TableRow(
            (one.tally.name, *map(number, (one.tally.final_loss, one.tally.std, one.spread))),
            variants=(one.index,),
        )
        for one in store.states
    ]
