"""The lesson's two tables for this run: lr by batch size and rule, and each size's trade-offs.

Pure functions from the run's state to cells of text. The words are the lesson's, the figures come
from this run.
"""

import math
from dataclasses import dataclass
from typing import Final

from engine.settings import FULL, LrScaling
from engine.sweep.table import lesson
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.formatting import number

LESSON_BATCHES: Final = (32, 64, 128, 256, 512)


@dataclass(frozen=True, slots=True)
class TableRow:
    """A line of a table."""

    cells: tuple[str, ...]
    variants: tuple[int, ...] = ()
    """The positions of the variants in this line."""


RULES: Final = ("effective batch", "none", "linear", "√")


def lr_by_batch(store: Store) -> list[TableRow]:
    """lr under each rule, for the lesson's batch sizes and those in force, at the base lr in force.

    A variant whose base lr differs from the first one's is in no row.
    """
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
            TableRow((f"{size:,}", *map(formatting.rounded, lrs)), tuple(held.get(size, ())))
        )
    return rows


TRADES: Final = ("gradient SNR", "samples/s", "memory", "gap")


def trade_offs(store: Store) -> list[TableRow]:
    """Two lines per variant: its batch size's gains and costs, measured and in the lesson's words.

    They follow the variant's name and its batch size.
    """
    return [
        row
        for one in store.states
        for row in (TableRow(_measured(one), (one.index,)), TableRow(_said(one)))
    ]


def _measured(one: VariantState) -> tuple[str, ...]:
    tally = one.tally
    return (
        tally.name,
        number(tally.signal_to_noise),
        "–" if math.isnan(one.speed) else formatting.count(one.speed),
        f"{tally.peak_memory / 2**20:,.0f} MiB" if tally.peak_memory else "–",
        number(tally.generalisation_gap),
    )


def _said(one: VariantState) -> tuple[str, ...]:
    tally = one.tally
    is_full = tally.resolved is not None and tally.resolved.is_full
    words = lesson(FULL if is_full else tally.settings.batch_size)
    size = f"batch {formatting.short_batch(tally.settings.batch_size, tally.n)}"
    return (size, words.gradient_quality, words.gpu_efficiency, words.memory, words.generalisation)
