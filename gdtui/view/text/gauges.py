"""Measurements beside the loss, in one line: noise scale and batch, sharpness and 2 ÷ lr."""

import math
from typing import Final

from engine.log.measurements import edge_factor, edge_of_stability
from engine.log.summary import Tally
from gdtui.state.curves import MeasuredFigure
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.caveats.age import PALE, age, oldest
from gdtui.view.text.formatting import number
from gdtui.view.text.styled import EMPTY, StyledText

_ROOMY: Final = 56
"""Minimum width in cells to write "noise scale" rather than its letter."""
_GAUGED: Final = (MeasuredFigure.NOISE, MeasuredFigure.SHARPNESS)


def gauges(one: VariantState, width: int) -> StyledText:
    """A line such as "noise scale 48 (31–75) · batch 64   λ 3.1 · 2/lr 200"; shorter if narrow.

    The label of a figure depends on the width alone, so that all panels use the same one, whatever
    was measured. An old figure is pale; its age stands at the end of the line where there is room.
    """
    name = "noise scale" if width >= _ROOMY else "B"
    ago = oldest([age(one, figure) for figure in _GAUGED]).words
    for brevity in range(-1, 4):
        parts = [_noise(one, name, max(brevity, 0)), _sharpness(one, brevity)]
        said = StyledText.of("  ").join(part for part in parts if part)
        if ago and brevity < 0:
            said += StyledText.of(f" · {ago}", PALE)
        if said.cell_length <= width:
            break
    return said.truncate(width)


def _noise(one: VariantState, name: str, brevity: int) -> StyledText:
    tally, found = one.tally, one.tally.noise_scale
    if found is None:
        return StyledText.of(f"{name} –" if tally.is_measuring else "measuring is off (M)", PALE)
    style = age(one, MeasuredFigure.NOISE).style
    batch = tally.resolved.effective_batch if tally.resolved else 0
    against = f" · batch {formatting.count(batch)}"
    if not found.is_finite:
        few = f" ({found.not_finite} of {found.batches} gradients)" if found.not_finite else ""
        return StyledText.of(f"{name}: not finite{'' if brevity else few}", "$error")
    if not found.is_reliable:
        least = f" (over {_samples(found.low)})" if found.low >= 1 and not brevity else ""
        return StyledText.of(f"{name}: not reliable yet{least}", style)
    interval = "" if brevity > 2 else f" ({_samples(found.low)}–{_samples(found.high)})"
    value = StyledText.of(f"{name} {_samples(found.value)}{interval}", style)
    return value + StyledText.of("" if brevity > 1 else against, PALE)


def _sharpness(one: VariantState, brevity: int) -> StyledText:
    measured = one.tally.sharpness
    if measured is None or measured.sharpness is None:
        return EMPTY
    found = measured.sharpness
    value = (
        number(found.value, 2 if brevity > 0 else 3) if found.is_reliable else "not reliable yet"
    )
    style = age(one, MeasuredFigure.SHARPNESS).style
    if not found.is_finite:
        value, style = "not finite", "$error"
    if brevity < 0 and 0 < found.samples < one.tally.n:
        value += f" ({formatting.count(found.samples)} samples)"
    return StyledText.of(f"λ {value}", style) + StyledText.of(_edge(one.tally), PALE)


def _edge(tally: Tally) -> str:
    """The edge under the settings in force, like the batch; the measured one may be older."""
    measured, force = tally.sharpness, tally.resolved
    if measured is None or measured.edge is None or force is None or "lr" in tally.assumed:
        return ""
    edge = edge_of_stability(force.lr, tally.settings)
    return (
        ""
        if edge is None
        else f" · {formatting.edge_name(edge_factor(tally.settings) or 0)} {number(edge)}"
    )


def _samples(value: float) -> str:
    """A number of samples, rounded to an integer from ten on."""
    if not math.isfinite(value):
        return "∞"
    return formatting.count(value) if value >= 10 else number(value, 2)
