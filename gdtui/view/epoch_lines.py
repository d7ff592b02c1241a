"""Ends of epochs on the x axis of a chart: for all variants at once, and for one. Pure."""

from gdtui.chart.scene.polyline import Axis
from gdtui.chart.scene.scales.ticks import MOST_RULES, multiples, rules
from gdtui.state.curves import Curves
from gdtui.state.store import Store
from gdtui.state.variant import PLACE
from gdtui.view.text.caveats.imported import has_epochs
from gdtui.view.x_range import XRange


def of_all(store: Store, axis: Axis, seen: XRange, columns: int) -> tuple[float, ...]:
    """The ends of epochs common to all variants, known in samples unless some are dropped.

    None if the runs on screen differ in the samples per epoch.
    """
    if not has_epochs(store) or axis is not Axis.SAMPLES or not _is_regular(store):
        return ()
    size = max(one.tally.n for one in store.states)
    return multiples(size, seen.low, seen.high, columns)


def _is_regular(store: Store) -> bool:
    """True if all variants have as many samples in each epoch."""
    sizes = {one.tally.n for one in store.states} - {0}
    return len(sizes) == 1 and not any(one.tally.settings.drop_last for one in store.states)


def of_one(store: Store, now: Curves, axis: Axis, seen: XRange, columns: int) -> tuple[float, ...]:
    """The ends of one variant's epochs, including future ones if they are known."""
    if not has_epochs(store):
        return ()
    common = of_all(store, axis, seen, columns)
    if common or (axis is Axis.SAMPLES and _is_regular(store)):
        return common
    few = now.history.epoch_ends(axis, seen.low, MOST_RULES + 1)  # there may be thousands
    if len(few) > 1 and seen.width > (MOST_RULES + 1) * (few[1] - few[0]):
        return ()  # too many once the window is full
    last = float(now.ended[PLACE[axis]])
    if last > max(few, default=seen.low):
        few.append(last)  # no batch follows it yet
    return rules(few, seen.low, seen.high, columns)
