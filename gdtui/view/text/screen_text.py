"""The screen's lines of text: pure functions from state to styled text of a given width.

Fields keep their width while figures change, so that nothing jumps.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from engine.log.figures.growth import DIVERGING
from engine.log.notices import Notice, NoticeKind
from engine.log.records import State
from gdtui.chart.scene.palette import COLOURS
from gdtui.chart.scene.shortening import shortened
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.caveats.label import label
from gdtui.view.text.styled import NEW_LINE, StyledPart, StyledText

_DIM: Final = "$quiet"
_PENDING: Final = "bold $warning"
STATE_STYLES: Final = {
    State.RUNNING: "$success",
    State.FINISHED: "$primary",
    State.PAUSED: "$warning",
    State.STARTING: "$warning",
    State.STOPPED: "$warning",
    State.DIVERGED: "bold $error",
    **{state: "bold $error" for state in State if state.is_broken},
}
_REPLAY: Final = re.compile(r"(rewinding|forking): ([0-9,]+) of ([0-9,]+) batches")
"""As a worker reports it."""
_SHORT_REPLAYS: Final = {"rewinding": "back", "forking": "fork"}
NAME: Final = 10
"""Minimum width of a name in a line, in cells."""
_NAME_SHARE: Final = 6
"""A name takes at most one part in this many of a line."""
NOT_THE_BIG_BATCH: Final = "≠"
"""Marks accumulated batches, or batches computed in pieces, that do not equal one large batch."""


def join_parts(parts: Sequence[StyledPart], separator: str = "") -> StyledText:
    pieces: list[StyledPart] = []
    for place, part in enumerate(parts):
        if place and separator:
            pieces.append((separator, _DIM))
        pieces.append(part)
    return StyledText(tuple(pieces))


def colour_of(one: VariantState) -> str:
    return f"$variant-{one.hue % COLOURS + 1}"


def state(one: VariantState) -> StyledPart:
    """The state of a variant, in its colour; while it goes back to a batch, how far it is."""
    if replay := _replay(one):
        return f"{replay[1]}: {replay[2]} of {replay[3]} batches", _PENDING
    style = "bold $error" if one.is_diverging else STATE_STYLES.get(one.tally.state, "")
    if one.word != one.tally.state and one.tally.state is State.FINISHED:
        style = "bold $error" if one.is_diverging else "bold $warning"
    return one.word, _PENDING if one.transition else style


def short_state(one: VariantState) -> StyledPart:
    """The state in the cells of a line: "worse" for a loss that ended above its start."""
    word, style = state(one)
    if replay := _replay(one):
        done, until = (int(text.replace(",", "")) for text in replay.group(2, 3))
        word = f"{_SHORT_REPLAYS[replay[1]]} {100 * done // max(until, 1)}%"
    return ("worse" if one.verdict and one.tally.state is State.FINISHED else word), style


def _replay(one: VariantState) -> re.Match[str] | None:
    """How far a variant is on its way back to a batch, or to where its fork begins."""
    is_on_its_way = one.tally.state is State.STARTING and one.transition is None
    return _REPLAY.match(one.tally.detail) if is_on_its_way and not one.blocked else None


def state_and_device(one: VariantState, store: Store) -> StyledPart:
    """The state, with the device if there are several."""
    word, style = state(one)
    return (
        f"{one.tally.device} · {word}" if store.has_devices and one.tally.device else word
    ), style


# --- One variant ----------------------------------------------------------------------------------


def trouble(one: VariantState) -> str:
    """The trouble of a variant in one sentence; empty if there is none."""
    if one.notice:
        return one.notice
    state, detail = one.tally.state, one.tally.detail
    if state is State.DIVERGED or one.is_cut_short:
        is_trouble = detail or state is not State.STOPPED  # its figures say more than "stopped"
        return f"{state}: {detail}" if detail else str(state) if is_trouble else ""
    if one.is_diverging:
        return (
            f"diverging: the loss is over {DIVERGING:,.0f} × that at the start; a lower lr and a "
            "restart help"
        )
    return ""


def advised(notice: Notice, run: Path) -> Notice:
    """The session's notice with short file names and the key that helps."""
    hint = {
        NoticeKind.LOG_BLOCKED: ", then resume (space)",
        NoticeKind.LOG_GONE: "; paused until it is back",
        NoticeKind.DIED: "; r starts a new one",
        NoticeKind.NOT_STARTED: "; r tries again",
    }.get(notice.kind, "")
    return replace(notice, text=notice.text.replace(f"{run}/", "") + hint)


def alone(
    one: VariantState, store: Store, width: int, settings: StyledText, figures: StyledText
) -> StyledText:
    """The text below a chart that fills the screen: settings, with the state on the right.

    Figures follow.
    """
    word = StyledText.of(*state_and_device(one, store))
    room = max(width - word.cell_length - 2, 0)
    left = settings.truncate(room).pad_right(max(room - settings.cell_length, 0) + 2)
    return left + word + NEW_LINE + figures


def name_cells(store: Store, width: int) -> int:
    """Cells of the names in lines of this width: more where they are long and there is room."""
    longest = max(len(label(one)) for one in store.states)
    return max(NAME, min(longest, width // _NAME_SHARE))


def name(one: VariantState, store: Store, cells: int, *, selected: bool) -> StyledText:
    """Number and name, cut to this many cells, in the variant's colour; marked when selected."""
    mark = "▸" if selected else " "
    short = shortened(tuple(map(label, store.states)), cells)[one.index]
    place = f"{one.index + 1:>{place_cells(store)}}"
    return StyledText.of(f"{mark}{place} {short:<{cells}}", f"bold {colour_of(one)}")


def place_cells(store: Store) -> int:
    """Cells of the number of a variant."""
    return len(str(len(store.variants)))


def pending(one: VariantState, width: int) -> StyledPart | None:
    """The pending settings, in at most this many cells; None if there are none."""
    difference = formatting.difference(one.tally.settings, one.wanted, one.tally.n)
    return (f"{difference}…"[:width].ljust(width), _PENDING) if difference else None
