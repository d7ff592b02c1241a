"""Lines of what was in force over training, as the log of the batches has it. Pure.

The yardsticks of the trends: the effective batch, and the edge of stability of the lr. They step
where the settings changed, whether anything was measured there or not.
"""

import numpy as np

from engine.log.measurements import edge_of_stability
from engine.settings import VariantSettings
from gdtui.chart.scene.arrays import Floats
from gdtui.chart.scene.polyline import Polyline
from gdtui.state.curves import Curves
from gdtui.state.variant import VariantState
from gdtui.view.data_extent import end_of, positive
from gdtui.view.view_state import ViewState


def effective_batches(one: VariantState, now: Curves, view: ViewState) -> Polyline:
    """Samples an update, over training; empty for an imported run that does not tell them."""
    if {"batch_size", "accumulation_steps"} & {*one.tally.assumed}:
        return _no_line()
    logged = now.history.settings(view.axis)
    values = np.minimum(logged.batch_sizes * logged.steps, one.tally.n).astype(np.float64)
    resolved = one.tally.resolved
    return _steps(now, view, values, resolved.effective_batch if resolved else np.nan)


def edges(one: VariantState, now: Curves, view: ViewState) -> Polyline:
    """The sharpness beyond which full-batch steps grow, over training; gaps where there is none."""
    if "lr" in one.tally.assumed:
        return _no_line()
    logged = now.history.settings(view.axis)
    values = [
        _edge(lr, now.settings_at(samples, one.tally.settings))
        for lr, samples in zip(logged.lrs.tolist(), logged.samples.tolist(), strict=True)
    ]
    resolved = one.tally.resolved
    last = _edge(resolved.lr, one.tally.settings) if resolved else np.nan
    return _steps(now, view, np.array(values), last)


def _edge(lr: float, settings: VariantSettings) -> float:
    edge = edge_of_stability(lr, settings)
    return np.nan if edge is None else edge


def _no_line() -> Polyline:
    return Polyline(*(np.empty(0),) * 3)


def _steps(now: Curves, view: ViewState, values: Floats, current: float) -> Polyline:
    """A value for each logged stretch, held until the next; at the end the current one."""
    at = now.history.settings(view.axis).begins
    if not len(at):
        return _no_line()
    end = max(end_of(now, view.axis), float(at[-1]))
    x = np.concatenate([np.repeat(at, 2)[1:], [end, end]])
    y = np.concatenate([np.repeat(values, 2), [current]])
    return positive(Polyline(x, y, y), log=True)
