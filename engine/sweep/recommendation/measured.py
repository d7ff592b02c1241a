"""The row of a table that was measured best, and how another one compares with it, in words. Pure.

The losses are those on all training data at the lr tried: in equal seconds or, where those are not
known, in equal epochs.
"""

from collections.abc import Callable, Sequence
from typing import Final

from engine.settings import FULL, LrScaling
from engine.sweep.table import SweepRow

_CLEAR: Final = 0.05
"""Least relative difference of two losses that counts; with less they are as good as equal."""

LossOf = Callable[[SweepRow], float | None]


def named(row: SweepRow) -> str:
    """The batch size in a sentence."""
    return "the full batch" if row.batch_size == FULL else f"batch size {row.batch_size}"


def measured_best(rows: Sequence[SweepRow], rule: LrScaling) -> tuple[SweepRow, str] | None:
    """The row with the lowest loss, and a clause on it; None where no loss is known."""
    loss, budget = (_in_seconds, "seconds") if _leader(rows, _in_seconds) else (_in_epochs, "")
    best = _leader(rows, loss)
    if best is None:
        return None
    own = loss(best)
    clause = (
        f"{named(best)} had the lowest loss on all data in equal {budget or 'epochs'} ({own:.3g}) "
        f"{_lr(best, rows, rule)}"
    )
    ties = [row for row in rows if row is not best and not _is_behind(loss(row), own)]
    level = [named(row) for row in ties if loss(row) is not None]
    if level:
        clause += f", and {_listed(level)} came within {_CLEAR:.0%} of it"
    return best, clause + (_in_equal_epochs(best, rows) if budget else "")


def comparison(chosen: SweepRow, rows: Sequence[SweepRow], rule: LrScaling) -> str:
    """A clause on how a predicted row fared at the lr tried; empty where its loss is not known."""
    own, leader = _in_seconds(chosen), _leader(rows, _in_seconds)
    if own is None or leader is None:
        return ""
    best = _in_seconds(leader)
    at = _lr(chosen, rows, rule)
    if _is_behind(own, best):
        return (
            f"{at}, its loss in equal seconds was higher than that of {named(leader)} "
            f"({own:.3g} against {best:.3g}), so tune its lr before you take it"
        )
    return f"{at}, it was measured best too ({own:.3g})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _in_equal_epochs(chosen: SweepRow, rows: Sequence[SweepRow]) -> str:
    own, leader = _in_epochs(chosen), _leader(rows, _in_epochs)
    if leader is None or not _is_behind(own, best := _in_epochs(leader)):
        return ""
    why = (
        ", which made more updates" if leader.samples_per_update < chosen.samples_per_update else ""
    )
    return (
        f", though in equal epochs it is behind {named(leader)}{why} ({own:.3g} against {best:.3g})"
    )


def _lr(chosen: SweepRow, rows: Sequence[SweepRow], rule: LrScaling) -> str:
    """Note the lr at which the table was trained."""
    if rule is not LrScaling.NONE:
        word = {LrScaling.LINEAR: "linear", LrScaling.SQRT: "square-root"}[rule]
        return f"at the lr that {word} scaling gave"
    if all(row.lr == chosen.lr for row in rows):
        return f"at the lr of {chosen.lr:.4g} tried here, not scaled with the batch"
    return "at the lr tried here"


def _in_seconds(row: SweepRow) -> float | None:
    return row.loss_equal_seconds


def _in_epochs(row: SweepRow) -> float | None:
    return row.loss_equal_epochs


def _leader(rows: Sequence[SweepRow], loss: LossOf) -> SweepRow | None:
    """The row with the lowest loss; the first, that of the smallest batch, where several have."""
    known = [(value, place) for place, row in enumerate(rows) if (value := loss(row)) is not None]
    return rows[min(known)[1]] if known else None


def _is_behind(own: float | None, best: float | None) -> bool:
    return own is not None and best is not None and best < own - _CLEAR * abs(own)
