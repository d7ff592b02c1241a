"""The distance between the losses on all data, for the title of the variants' chart. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.statistics.folding import distance, have_folded
from gdtui.chart.scene.arrays import Floats
from gdtui.chart.scene.polyline import Axis
from gdtui.state.curves import Curves
from gdtui.state.store import Store
from gdtui.state.variant import PLACE
from gdtui.view.text import formatting

_SAMPLES: Final = PLACE[Axis.SAMPLES]
_LOSS: Final = 3
_LARGE: Final = 0.1
"""Distances below have one digit: 0.004."""


class Distance(NamedTuple):
    """The distance in words, and True if the curves have folded."""

    text: str = ""
    has_folded: bool = False


def distance_of(store: Store, *, with_ghosts: bool = True) -> Distance:
    """The distance where all variants were last measured; empty before their first epoch.

    `with_ghosts`: also the one before a restart, after as many samples. Several runs may be of
    different problems, so there is none between them.
    """
    if len(store.runs) > 1 or len(store.states) < 2:
        return Distance()
    present = [one.current for one in store.states]
    losses = _losses(present, common := _common(present))
    if not losses:
        return Distance()
    has_earlier = with_ghosts and any(one.ghost for one in store.states)
    past = [one.ghost or one.current for one in store.states] if has_earlier else []
    earlier = _losses(past, min(common, _common(past)))
    text = " → ".join(_number(each) for each in (earlier, losses) if each)
    folded = have_folded(losses)
    said = f"curves {text} apart"
    return Distance(f"{said} · folded into one" if folded else said, folded)


def _common(generations: Sequence[Curves | None]) -> float:
    """The samples after which all were last measured; 0 if one never was."""
    ends = [each.evaluations.values[-1:, _SAMPLES].sum() for each in generations if each]
    return float(min(ends)) if len(ends) == len(generations) and ends else 0.0


def _losses(generations: Sequence[Curves | None], samples: float) -> list[float]:
    """The losses measured there; empty if there are none, or one is not finite."""
    if samples <= 0:
        return []
    losses = [_loss_at(each.evaluations.values, samples) for each in generations if each]
    return losses if np.isfinite(losses).all() else []


def _number(losses: list[float]) -> str:
    found = distance(losses)
    return formatting.number(found, 2 if found >= _LARGE else 1)


def _loss_at(rows: Floats, samples: float) -> float:
    """The last loss measured up to there."""
    place = int(np.searchsorted(rows[:, _SAMPLES], samples, "right")) - 1
    return float(rows[place, _LOSS])
