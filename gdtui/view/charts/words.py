"""The words on a chart: its title, and the activity of a variant before its first loss. Pure."""

import textwrap
from typing import Final

from engine.log.records import State
from engine.programs import PROGRAM
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.caveats.imported import has_epochs
from gdtui.view.view_state import ViewState

_IMPORTING: Final = "importing torch…"


def title(store: Store, view: ViewState, found: str, columns: int) -> str:
    """The kind of the lines, and their unit, as under accumulation a batch is not an update."""
    what = "every batch" if view.raw else smoothing_told(store, view)
    if view.raw and any(one.tally.batches != one.tally.updates for one in store.states):
        what += ", not update"
    parts = [part for part in ("loss", found, what, points_told(store)) if part]
    title = " · ".join(parts)
    if len(title) > columns and len(parts) > 3:  # the smoothing can be spared
        title = " · ".join(part for part in parts if part != what)
    return title


def smoothing_told(store: Store, view: ViewState) -> str:
    """The smoothing of the lines, in epochs where these are known."""
    return f"smoothed over {formatting.epochs(view.smoothing)}" if has_epochs(store) else "smoothed"


def points_told(store: Store) -> str:
    """The legend of the single values on a chart."""
    has_full = any(store.run_settings(one).device != PROGRAM for one in store.states)
    parts = ["◆ on all data"] * has_full + ["◇ on validation data"] * store.has_validation
    return " · ".join(parts)


def activity(one: VariantState) -> str:
    """The activity of the variant before its first loss."""
    tally = one.tally
    if tally.state is State.STARTING and one.current is not None and not len(one.current.history):
        return "measuring the loss on all data, before the first batch…"
    if tally.state is State.STARTING:
        return f"{tally.detail}…" if tally.detail else _IMPORTING
    if tally.state is State.RUNNING:
        return "no loss has been printed yet" if tally.device == PROGRAM else "first batch…"
    return f"{tally.state}: {tally.detail}" if tally.detail else str(tally.state)


def own_activity(one: VariantState, store: Store) -> str:
    """The activity of the variant, unless the chart of all says the same."""
    said = activity(one)
    is_said_once = said == activity(store.states[0]) and not any(
        each.current and len(each.current.history) for each in store.states
    )
    return "" if is_said_once else said


def wrapped(text: str, columns: int) -> str:
    return "\n".join(textwrap.wrap(text, max(8, columns))[:6])
