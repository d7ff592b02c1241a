"""The footer's keys: those that make sense at the moment, the most useful ones first. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from engine.settings import LrScaling
from gdtui.keys.run_keys import COMMANDS
from gdtui.keys.stroke import Entry
from gdtui.keys.table import TABLE

GAP: Final = 2
"""Cells between two entries."""
_ENTRIES: Final = {entry.id: entry for entry in TABLE}
_ORDERS: Final = {entry.id for entry in COMMANDS}
_ALWAYS: Final = ("explain", "help", "quit")
"""The last entries of every footer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FooterState:
    """The state of run and view, as far as the footer depends on it."""

    variants: int = 1
    obeyed: frozenset[str] | None = None
    """Ids of the commands that have an effect; None means all."""
    next_rule: LrScaling = LrScaling.LINEAR
    """The rule that S would put in force."""
    folds: bool = False
    """True if this rule should make the curves one: the variants differ in batch size alone."""
    is_paused: bool = False
    has_ended: bool = False
    is_in_trouble: bool = False
    """True while the loss of a variant grows beyond bounds."""
    can_undo: bool = False
    has_ghosts: bool = False
    is_selected: bool = False
    """True while keys act on one variant of several."""
    has_crosshair: bool = False
    has_moved: bool = False
    """True while there is a crosshair, or the charts are zoomed."""
    is_known: bool = False
    """True once noise scale and curvature have been measured, so that there is more to see."""
    has_question: bool = False
    """True while a question about a program is open."""
    takes_text: bool = False
    """True while a program runs that can be typed to."""
    has_metrics: bool = False
    """True once there are other numbers than losses."""


def footer_entries(width: int, state: FooterState) -> list[Entry]:
    """The entries in the order of their use, as many as fit into `width` cells."""
    last = [_ENTRIES[name] for name in _ALWAYS]
    while last and _cells(last) > width:
        last.pop(0)
    first: list[Entry] = []
    for entry in _offered(state):
        if _cells([*first, entry, *last]) <= width:
            first.append(entry)
    return [*first, *last]


def _cells(entries: list[Entry]) -> int:
    texts = [len(entry.keys) + 1 + len(entry.label) for entry in entries]
    return sum(texts) + GAP * max(len(texts) - 1, 0)


def _offered(state: FooterState) -> Iterator[Entry]:
    """The entries for this moment, the most useful ones first."""
    for name in dict.fromkeys(_names(state)):
        is_obeyed = state.obeyed is None or name in state.obeyed or name not in _ORDERS
        if is_obeyed and (name != "select" or state.variants > 1):
            yield _as_of(_ENTRIES[name], state)


def _names(state: FooterState) -> Iterator[str]:
    """The ids of the entries for this moment; some more than once."""
    undo = ["undo"] * state.can_undo
    pace = ["pace"] * (not state.has_ended)
    yield from ["console"] * (state.has_question or state.takes_text)
    if state.is_in_trouble:
        yield from ("lr", *undo, "restart")
    yield from ["rewind", "fork"] * state.has_crosshair
    yield from ["pause", "step"] * state.is_paused
    if state.has_ended:
        yield from (
            "scaling.restart",
            "restart",
            "extend",
            "summary",
            "sweep",
            "experiments",
            "tables",
        )
    if state.is_selected:
        yield from ("batch", "lr", *undo, "edit", "momentum", "accumulation", "focus", "code")
        yield "select"
    if state.has_moved:
        yield from ("cursor", "zoom", "pan", "window", "hide")
    yield from ["scaling.restart"] * state.folds
    yield from ("batch", "lr", *undo, "accumulate", "scaling.restart")
    if not state.has_ended:
        yield from ("pause", "pace", "free") if state.obeyed else ("pause",)
    yield from ["restart", "original"] * state.can_undo
    if state.obeyed is not None:
        yield from ("axis", "zoom", "cursor", "focus", "code")
    yield from ["ghosts"] * state.has_ghosts + ["metrics"] * state.has_metrics
    if state.is_known or state.has_ended:
        yield from ("trends", "landscape", "select", *pace, "axis", "focus", "guide")


def _as_of(entry: Entry, state: FooterState) -> Entry:
    """The entry with the label that fits the moment."""
    match entry.id:
        case "pause" if state.is_paused:
            return replace(entry, label="resume")
        case "console" if state.has_question:
            return replace(entry, shown="C", label="answer")
        case "console":
            return replace(entry, shown="I", label="input")
        case "select":
            return replace(entry, shown=_places(state.variants))
        case "scaling.restart" if state.folds and state.next_rule is LrScaling.LINEAR:
            return replace(entry, label="make curves meet")
        case "scaling.restart":
            return replace(entry, label=_RULES[state.next_rule])
        case _:
            return entry


_RULES: Final = {
    LrScaling.NONE: "one lr for all",
    LrScaling.LINEAR: "lr ∝ batch",
    LrScaling.SQRT: "lr ∝ √batch",
}
"""Labels of S, by the rule that it puts in force."""


def _places(variants: int) -> str:
    """The keys that choose one of this many variants, or all."""
    return f"1{'…' if variants > 2 else ' '}{min(variants, 9)} 0"
