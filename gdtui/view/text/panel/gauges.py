"""Measurements beside the loss, in words: the batch against the noise scale, the curvature.

Pure functions from state to styled text. The width alone decides which words are used, so that all
panels use the same, as long as they fit.
"""

import math
from collections.abc import Callable
from typing import Final

from engine.log.measurements import edge_factor, edge_of_stability
from engine.log.summary import Tally
from gdtui.state.curves import MeasuredFigure
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.caveats.age import PALE, age
from gdtui.view.text.caveats.imported import is_foreign
from gdtui.view.text.formatting import number
from gdtui.view.text.styled import EMPTY, NEW_LINE, StyledText

_BETWEEN: Final = "  "
_LEVEL: Final = 2.0
"""Batch and noise scale are on a level if neither is more than this many times the other."""
_ABOUT: Final = 1.5
"""The same for batch sizes that are called "about the noise scale"."""
_CELLS: Final = 10
"""Cells of the gauge; the edge is after `_EDGE` of them, so that there is something beyond."""
_EDGE: Final = 8
_NEAR: Final = 0.5
"""Share of the edge of stability from which the gauge warns."""
_LEAST: Final = 1e-9
"""Noise scale below which no batch is compared with it."""
_FORMS: Final = 6
"""Number of forms of each line, from the longest to the shortest."""
_WIDTHS: Final = (84, 60)
"""Minimum widths in cells of the longest forms, so that all panels use the same."""
_WORDS: Final = {True: "diminishing returns", False: "mostly noise", None: "a good size"}
_SHORT: Final = {True: "repeats itself", False: "mostly noise", None: "a good size"}


def gauges(one: VariantState, width: int, rows: int = 1) -> StyledText:
    """The batch against the noise scale, and the curvature: in two rows, or briefly in one.

    If one row is too narrow for both, the curvature stands there only when it is too large.
    """
    if rows > 1:
        return _fitted(one, _noise, width) + NEW_LINE + _fitted(one, _curvature, width)
    for brevity in range(_longest(width), _FORMS if _is_beyond(one) else _FORMS - 1):
        parts = [_noise(one, brevity), _curvature(one, brevity)]
        said = StyledText.of(_BETWEEN).join(part for part in parts if part)
        if said.cell_length <= width:
            return said
    return _fitted(one, _curvature if _is_beyond(one) else _noise, width)


def _fitted(
    one: VariantState, line: Callable[[VariantState, int], StyledText], width: int
) -> StyledText:
    """The longest form of a line that fits."""
    forms = (line(one, brevity) for brevity in range(_longest(width), _FORMS))
    said = next((form for form in forms if form.cell_length <= width), line(one, _FORMS - 1))
    return said.truncate(width)


def _longest(width: int) -> int:
    """The longest form that any variant may use in this width."""
    return sum(width < least for least in _WIDTHS)


# --- The noise scale ------------------------------------------------------------------------------


def _noise(one: VariantState, brevity: int) -> StyledText:
    """The batch in force against the noise scale, such as "batch 64, noise scale 16: …"."""
    tally, found = one.tally, one.tally.noise_scale
    if found is None and is_foreign(one):
        return EMPTY
    if found is None:
        said = "noise scale not measured yet" if tally.is_measuring else "measuring is off (M)"
        return StyledText.of(
            said if brevity < 4 or not tally.is_measuring else "noise scale –", PALE
        )
    if not found.is_finite:
        few = f" ({found.not_finite} of {found.batches} gradients)" if found.not_finite else ""
        return StyledText.of(f"noise scale not finite{few if brevity < 3 else ''}", "$error")
    age_of_it = age(one, MeasuredFigure.NOISE)
    if not found.is_reliable:
        least = f" (over {_samples(found.low)})" if found.low >= 1 and brevity < 3 else ""
        return StyledText.of(f"noise scale not reliable yet{least}", age_of_it.style)
    value = _samples(found.value)
    batch = tally.resolved.effective_batch if tally.resolved else 0
    if not batch or found.value < _LEAST:
        return StyledText.of(f"noise scale {value}", age_of_it.style)
    interval = f", 95%: {_samples(found.low)}–{_samples(found.high)}" if not brevity else ""
    ratio, size = batch / found.value, formatting.count(batch)
    is_large = None if 1 / _LEVEL <= ratio <= _LEVEL else ratio > 1
    words = (_WORDS if brevity < 3 else _SHORT)[is_large]
    if brevity < 2:
        said = f"batch {size} is {_times(ratio)} the noise scale ({value}{interval}): {words}"
    elif brevity < 4:
        said = f"batch {size}, noise scale {value}: {words}"
    else:
        said = f"noise scale {value}" + (f": {words}" if brevity < _FORMS - 1 else "")
    return StyledText.of(said, age_of_it.style) + _ago(age_of_it.words, brevity)


def _times(ratio: float) -> str:
    """A ratio in words that go before "the noise scale"."""
    if 1 / _ABOUT < ratio < _ABOUT:
        return "about"
    if ratio < 1:
        return f"1/{_factor(1 / ratio)} of"
    return f"{_factor(ratio)}×"


def _factor(ratio: float) -> str:
    return formatting.count(ratio) if ratio >= 10 else f"{ratio:.2g}"


def _samples(value: float) -> str:
    """A number of samples, rounded to an integer from ten on."""
    if not math.isfinite(value):
        return "∞"
    return formatting.count(value) if value >= 10 else number(value, 2)


# --- The curvature --------------------------------------------------------------------------------


def _curvature(one: VariantState, brevity: int) -> StyledText:
    """The curvature against the edge of stability, with a gauge, such as "curvature 3 of 200"."""
    measured = one.tally.sharpness
    if measured is None or measured.sharpness is None:
        return EMPTY
    found = measured.sharpness
    age_of_it = age(one, MeasuredFigure.SHARPNESS)
    if not found.is_finite:
        return StyledText.of("curvature not finite", "$error")
    if not found.is_reliable:
        return StyledText.of("curvature not reliable yet", age_of_it.style)
    value = number(found.value, 3 if brevity < 4 else 2)
    part = ""
    if 0 < found.samples < one.tally.n:
        value = f"≈ {value}"
        part = "" if brevity else f" ({formatting.count(found.samples)} samples)"
    if (edge := _edge(one.tally)) is None:
        return StyledText.of(f"curvature {value}{part}", age_of_it.style)
    share, name = found.value / edge, formatting.edge_name(edge_factor(one.tally.settings) or 0)
    formula = f" ({name})" if not brevity else ""
    if share > 1:
        said = f"curvature {value}{part}, above the limit {number(edge)}{formula}"
        said = said if brevity < 4 else f"curvature {value} > {number(edge)}"
        words = StyledText.of(said, "bold $error")
    else:
        limit = ", limit" if brevity < 4 else " of"
        said = f"curvature {value}{part}{limit} {number(edge)}{formula}"
        words = StyledText.of(said, age_of_it.style)
    if brevity < 3:
        words += StyledText.of(_BETWEEN) + _gauge(share)
    return words + _ago(age_of_it.words, brevity)


def _is_beyond(one: VariantState) -> bool:
    """True if the curvature is known, and beyond the edge of stability."""
    measured, edge = one.tally.sharpness, _edge(one.tally)
    found = measured.sharpness if measured else None
    return bool(found and edge and found.is_finite and found.is_reliable and found.value > edge)


def _gauge(share: float) -> StyledText:
    """A bar of the share of the edge of stability; red beyond the edge, which a stroke marks."""
    filled = min(math.ceil(share * _EDGE), _CELLS) if share > 0 else 0
    style = "$error" if share > 1 else "$warning" if share > _NEAR else "$success"
    before, beyond = min(filled, _EDGE), max(filled - _EDGE, 0)
    return StyledText(
        (
            ("━" * before, style),
            ("─" * (_EDGE - before), PALE),
            ("┃", "bold $error" if beyond else PALE),
            ("━" * beyond, style),
            ("─" * (_CELLS - _EDGE - beyond), PALE),
        )
    )


def _edge(tally: Tally) -> float | None:
    """The edge under the settings in force, like the batch; the measured one may be older."""
    measured, force = tally.sharpness, tally.resolved
    if measured is None or measured.edge is None or force is None or "lr" in tally.assumed:
        return None
    return edge_of_stability(force.lr, tally.settings)


def _ago(words: str, brevity: int) -> StyledText:
    """The age of an old figure, where there is room."""
    return StyledText.of(f" · {words}", PALE) if words and brevity < 2 else EMPTY
