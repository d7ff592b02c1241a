"""Measurements beside the loss, in one line: noise scale and batch, sharpness and 2 ÷ lr."""

import math

from engine.log.measurements import edge_of_stability
from engine.log.summary import Tally
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.formatting import number
from gdtui.view.text.styled import StyledText

_QUIET = "$quiet"
_ROOMY = 56
"""Minimum width in cells to write "noise scale" rather than its letter."""


def gauges(one: VariantState, width: int) -> StyledText:
    """A line such as "noise scale 48 (31–75) · batch 64   λ 3.1 · 2/lr 200"; shorter if narrow.

    The label of a figure depends on the width alone, so that all panels use the same one, whatever
    was measured.
    """
    name = "noise scale" if width >= _ROOMY else "B"
    for brevity in range(4):
        said = "  ".join(
            part
            for part in (_noise(one, name, brevity), _sharpness(one.tally, brevity > 0))
            if part
        )
        if len(said) <= width:
            break
    return StyledText.of(said, _QUIET).truncate(width)


def _noise(one: VariantState, name: str, brevity: int) -> str:
    tally, found = one.tally, one.tally.noise_scale
    if found is None:
        return f"{name} –" if tally.is_measuring else "measuring is off (M)"
    batch = tally.resolved.effective_batch if tally.resolved else 0
    against = f" · batch {formatting.count(batch)}"
    if not found.is_reliable:
        least = f" (over {_samples(found.low)})" if found.low >= 1 and not brevity else ""
        return f"{name}: not reliable yet{least}"
    interval = "" if brevity > 2 else f" ({_samples(found.low)}–{_samples(found.high)})"
    return f"{name} {_samples(found.value)}{interval}{'' if brevity > 1 else against}"


def _sharpness(tally: Tally, is_short: bool) -> str:
    measured = tally.sharpness
    if measured is None or measured.sharpness is None:
        return ""
    found = measured.sharpness
    value = number(found.value, 2 if is_short else 3) if found.is_reliable else "not reliable yet"
    return f"λ {value}{_edge(tally)}"


def _edge(tally: Tally) -> str:
    """The edge under the settings in force, like the batch; the measured one may be older."""
    measured, force = tally.sharpness, tally.resolved
    if measured is None or measured.edge is None or force is None:
        return ""
    edge = edge_of_stability(force.lr, tally.settings.momentum, tally.settings.optimizer)
    return (
        "" if edge is None else f" · {formatting.edge_name(tally.settings.momentum)} {number(edge)}"
    )


def _samples(value: float) -> str:
    """A number of samples, rounded to an integer from ten on."""
    if not math.isfinite(value):
        return "∞"
    return formatting.count(value) if value >= 10 else number(value, 2)
