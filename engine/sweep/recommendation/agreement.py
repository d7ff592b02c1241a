"""Agreement between the measured table and a batch size chosen for its time at a tuned lr.

Pure words. The choice assumes an lr that is tuned for its batch size; the table was trained at the
lr that the user's rule gave. Where the two do not agree, who reads both must be told, and what
follows from it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from engine.settings import FULL, LrScaling
from engine.sweep.table import SweepRow

_CLEAR: Final = 0.05
"""Least relative difference of two losses that counts; with less they are as good as equal."""


def named(row: SweepRow) -> str:
    """The batch size in a sentence."""
    return "the full batch" if row.batch_size == FULL else f"batch size {row.batch_size}"


def agreement(chosen: SweepRow, rows: Sequence[SweepRow], rule: LrScaling) -> str:
    """A clause on how the choice fared against the other rows.

    Empty where its loss is not known.
    """
    own, leader, best = _against(chosen, rows, _in_seconds)
    if own is None or best is None:
        return ""
    at = _lr(chosen, rows, rule)
    if _is_behind(own, best):
        epochs = _against(chosen, rows, _in_epochs)
        too = (
            " and in equal epochs"
            if epochs[1] is leader and _is_behind(epochs[0], epochs[2])
            else ""
        )
        return (
            f"{at}, {named(leader)} had a lower loss in equal seconds ({best:.3g} against "
            f"{own:.3g}){too}, so tune the lr from there, or take {named(leader)} at lr "
            f"{leader.lr:.4g}"
        )
    level = f"had the lowest loss in equal seconds ({own:.3g})"
    if leader is not chosen:
        level = f"tied with the lowest loss in equal seconds ({own:.3g} and {best:.3g})"
    return f"{at}, it {level}{_in_equal_epochs(chosen, rows)}"


def _in_equal_epochs(chosen: SweepRow, rows: Sequence[SweepRow]) -> str:
    own, leader, best = _against(chosen, rows, _in_epochs)
    if not _is_behind(own, best):
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


def _against(
    chosen: SweepRow, rows: Sequence[SweepRow], loss: Callable[[SweepRow], float | None]
) -> tuple[float | None, SweepRow, float | None]:
    """The chosen row's loss, the row with the lowest, and that one."""
    known = [row for row in rows if loss(row) is not None] or [chosen]
    leader = min(known, key=lambda row: loss(row) or 0.0)
    return loss(chosen), leader, loss(leader)


def _is_behind(own: float | None, best: float | None) -> bool:
    return own is not None and best is not None and best < own - _CLEAR * abs(own)
