"""One variant's figures, in rows below its chart or in one line: losses, progress and cost.

Pure functions from state to styled text. Every figure has a fixed width, and only the space decides
if it is shown, so that nothing jumps during training.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from engine.log.figures.execution import speed_up, times
from engine.programs import PROGRAM
from gdtui.state.curves import MeasuredFigure
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting, screen_text
from gdtui.view.text.caveats.age import PALE, age
from gdtui.view.text.caveats.imported import is_foreign, is_known
from gdtui.view.text.panel.gauges import gauges
from gdtui.view.text.styled import StyledText, lines

_GAP: Final = "  "
_DIM: Final = "$quiet"
_STATE: Final = 8
"""Cells kept for the state at the end of a line."""
_ROOMY: Final = 100
"""Minimum width in cells of a line with wider gaps between its figures."""
HISTOGRAM: Final = 6
"""Cells kept in a line for the histogram of its batch losses."""
_SETTINGS: Final = 14
"""Minimum cells of the settings in a line: "batch 64→128…", so that nothing moves with a key."""
_GAUGES: Final = 2
"""Maximum rows of the measurements beside the loss."""
_LATER: Final = 10
"""Rank of the cost in a line, after everything about learning."""
_VALUE: Final = 7
"""Cells of a loss."""
_SHORT_VALUE: Final = 6
"""The same in a narrow line."""
_LEAST_VALUE: Final = 5
"""The same where not everything would fit."""
_METRIC: Final = 12
"""Cells of the name of a metric."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure, as wide as it may get."""

    text: str
    rank: int
    """Rank; the lowest stay if there is no room for all."""
    style: str = ""
    short: str = ""
    """The same in fewer cells, if possible."""


# --- Below a chart --------------------------------------------------------------------------------


def rows(one: VariantState, store: Store, smoothing: float, width: int, height: int) -> StyledText:
    """This many rows below a chart: losses, validation, progress, measurements; or its trouble.

    `smoothing`: of the loss, in epochs. In fewer rows, the most informative figures of each kind
    remain.
    """
    if wrong := screen_text.trouble(one):
        return StyledText.of(wrong, "$error")
    learnt, validated = _learnt(one, smoothing), _validated(one, store)
    groups = [learnt, validated] if validated else [learnt]
    spare = height - len(groups) - 1
    if spare < 0:
        groups = [learnt + validated]
    groups.append(_done(one) + _cost(one))
    first, *others = [_fitted(group, width) for group in groups[: max(height, 1)]]
    measured = [gauges(one, width, min(spare, _GAUGES))] if spare > 0 else []
    return lines([_with_age(first, one, width), *others, *measured])


def _fitted(figures: Iterable[_Figure], width: int, gap: str = _GAP) -> StyledText:
    """The most informative figures that fit, in their order.

    They are shortened if more of them fit that way.
    """
    wanted = list(figures)
    for is_short in (False, True):
        said = {
            figure: figure.short if is_short and figure.short else figure.text for figure in wanted
        }
        if sum(map(len, said.values())) + len(gap) * (len(wanted) - 1) <= width:
            break
    chosen: list[_Figure] = []
    used = 0
    for figure in sorted(wanted, key=lambda figure: figure.rank):
        needed = len(said[figure]) + (len(gap) if chosen else 0)
        if used + needed <= width:
            chosen.append(figure)
            used += needed
    kept = [(said[figure], figure.style) for figure in wanted if figure in chosen]
    return screen_text.join_parts(kept, gap)


def _value(value: float, cells: int = _VALUE) -> str:
    return f"{formatting.within(value, cells):<{cells}}"


def _learnt(one: VariantState, smoothing: float, cells: int = _VALUE) -> list[_Figure]:
    full = _value(one.tally.full_loss, cells)
    loss, noise = one.smoothed(smoothing), one.spread
    mixed = PALE if one.is_spread_mixed else ""
    pale = age(one, MeasuredFigure.FULL_LOSS).style
    if (start := one.tally.evaluation) is not None and start.part_loss is not None:
        all_data = _Figure(f"◆ {start.part_samples:,} samples {_value(start.part_loss)}", 1)
    elif one.tally.device == PROGRAM:
        all_data = _Figure("", 1)  # no program has measured it
    else:
        all_data = _Figure(f"◆ all data {full}", 1, pale, short=f"◆ {full}")
    return [
        _Figure(f"loss {_value(loss, cells)}", 0, "bold", f"loss {_value(loss, _LEAST_VALUE)}"),
        _Figure(f"noise {_value(noise, cells)}", 3, mixed, f"noise {_value(noise, _LEAST_VALUE)}"),
        all_data,
    ]


def _with_age(said: StyledText, one: VariantState, width: int) -> StyledText:
    """A row of figures, and the age of its old loss on all data where there is room."""
    words = age(one, MeasuredFigure.FULL_LOSS).words
    if not words or said.cell_length + len(_GAP) + len(words) > width:
        return said
    return said + StyledText.of(f"{_GAP}{words}", PALE)


def _validated(one: VariantState, store: Store, cells: int = _VALUE) -> list[_Figure]:
    """The latest figures on held-out data; empty if there are none."""
    if not store.has_validation:
        return []
    tally = one.tally
    latest = tally.validation
    loss = _value(latest.loss if latest else math.nan, cells)
    pale = age(one, MeasuredFigure.VALIDATION).style
    gap = f"gap {formatting.signed(tally.generalisation_gap, _VALUE, 2):<{_VALUE}}"
    figures = [_Figure(f"◇ validation {loss}", 2, pale, short=f"◇ {loss}")]
    if tally.device != PROGRAM:
        figures.append(_Figure(gap, 4, age(one, MeasuredFigure.GAP).style))
    for place, name in enumerate(store.metrics):
        value = formatting.within(latest.metrics.get(name, math.nan) if latest else math.nan, 5)
        figures.append(
            _Figure(f"{name[:_METRIC]} {value:<5}", 5 + place, pale, f"{name[:3]} {value:<5}")
        )
    return figures


def _done(one: VariantState) -> list[_Figure]:
    """Updates and samples done; also batches, if they are not updates."""
    tally = one.tally
    updates = f"{formatting.count(tally.updates):>7} updates"
    if not is_known(one, "update"):
        updates = f"{formatting.count(tally.batches):>7} batches"
    elif tally.batches != tally.updates:
        updates += f" · {formatting.count(tally.batches)} batches".ljust(20)
    samples = f"{formatting.count(tally.samples):>9} samples"  # the x axis shows them as well
    is_told = is_known(one, "samples")
    return [_Figure(updates, 0, _DIM), *[_Figure(samples, 3, _DIM)] * is_told]


def _cost(one: VariantState) -> list[_Figure]:
    """Speed and memory."""
    if is_foreign(one) and not is_known(one, "seconds", "samples"):
        return []
    memory = formatting.mebibytes(one.tally.peak_memory)
    return [
        _Figure(f"{formatting.count(one.speed):>7} samples/s", 1, _DIM),
        _Figure(f"{formatting.number(one.batch_milliseconds):>6} ms/batch", 2, _DIM),
        _Figure(f"peak {memory:>10}", 4, _DIM, short=f"{memory:>10}"),
        *_compiled(one),
    ]


def _compiled(one: VariantState) -> list[_Figure]:
    """The speed of a compiled step ÷ that of the eager one before; empty without one."""
    tally = one.tally
    if tally.execution is None or not tally.execution.compiled:
        return []
    ratio = speed_up(tally.execution, tally.updates, tally.seconds)
    said = "–" if math.isnan(ratio) else times(ratio)
    return [_Figure(f"compiled: {said:<6}", 1, _DIM)]


# --- In a line ------------------------------------------------------------------------------------


def line(
    one: VariantState,
    store: Store,
    smoothing: float,
    *,
    selected: bool,
    width: int,
    histogram: str = "",
) -> StyledText:
    """One variant's line: on a narrow screen, for many variants, or below a chart that fills it.

    `histogram`: of its batch losses, in `HISTOGRAM` cells, which stay free without one.
    """
    cells = screen_text.name_cells(store, width)
    named = screen_text.name(one, store, cells, selected=selected) + StyledText.of(" ")
    if wrong := screen_text.trouble(one):
        return (named + StyledText.of(wrong, "$error")).truncate(width)
    is_roomy = width >= _ROOMY
    figures_of_all = [_size_and_lr(each) for each in store.states]
    sizes, lrs = (max(map(len, column)) for column in zip(*figures_of_all, strict=True))
    size, lr = figures_of_all[one.index]
    in_force = f"{size:>{sizes}} lr {lr:<{lrs}}".ljust(_SETTINGS)
    settings, style = screen_text.pending(one, len(in_force)) or (in_force, "")
    loss, noise, *others = _learnt(one, smoothing, _VALUE if is_roomy else _SHORT_VALUE)
    figures = [
        _Figure(settings, 0, style),
        loss,
        noise,
        _Figure(f"{histogram:<{HISTOGRAM}}", 0, screen_text.colour_of(one)),
        *others,
        *_validated(one, store, _VALUE if is_roomy else _SHORT_VALUE),
        *(replace(figure, rank=figure.rank + _LATER) for figure in _cost(one)),
    ]
    if store.has_devices:
        figures.append(_Figure(f"{one.tally.device:<7}", _LATER, _DIM))
    gap = _GAP if is_roomy else " "
    said = _fitted(figures, width - named.cell_length - _STATE - len(gap), gap)
    return (
        named + said + StyledText.of(gap) + StyledText.of(*screen_text.short_state(one))
    ).truncate(width)


def _size_and_lr(one: VariantState) -> tuple[str, str]:
    """The batch size and the lr in force, as short as in a line."""
    tally = one.tally
    size = formatting.short_batch(tally.settings.batch_size, tally.n)
    size = size if is_known(one, "batch_size") else "–"
    if tally.settings.accumulation_steps > 1:
        size += f"×{tally.settings.accumulation_steps}"
    if tally.is_big_batch is False:
        size += screen_text.NOT_THE_BIG_BATCH
    lr = formatting.setting(tally.settings.lr)
    lr = formatting.rounded(tally.resolved.lr) if tally.resolved else lr
    return size, lr if is_known(one, "lr") else "–"
