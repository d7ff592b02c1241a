"""The gap between the variants' losses on all data, as the title of their chart shows it. Pure."""

from typing import Final

import numpy as np

from engine.statistics.folding import gap, have_folded
from gdtui.chart.scene.arrays import Floats
from gdtui.chart.scene.polyline import Axis
from gdtui.state.store import Store
from gdtui.state.variant import PLACE
from gdtui.view.text import formatting

_SAMPLES: Final = PLACE[Axis.SAMPLES]
_LOSS: Final = 3
_LARGE: Final = 0.1
"""Gaps below have one digit: 0.004."""


def gap_text(store: Store) -> str:
    """The gap where all variants were last measured; empty before their first epoch.

    Several runs may be of different problems, so there is none between them.
    """
    measured = [one.current.evaluations.values for one in store.states if one.current]
    if len(store.runs) > 1 or not 2 <= len(store.states) == len(measured):
        return ""
    common = min((float(rows[-1, _SAMPLES]) if len(rows) else 0.0) for rows in measured)
    losses = [_loss_at(rows, common) for rows in measured] if common > 0 else []
    if not losses or not np.isfinite(losses).all():
        return ""
    found = gap(losses)
    text = f"gap {formatting.number(found, 2 if found >= _LARGE else 1)}"
    return f"{text} · folded" if have_folded(losses) else text


def _loss_at(rows: Floats, samples: float) -> float:
    """The last loss measured up to there."""
    place = int(np.searchsorted(rows[:, _SAMPLES], samples, "right")) - 1
    return float(rows[place, _LOSS])
