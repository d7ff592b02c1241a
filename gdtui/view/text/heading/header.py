"""The screen's first line: the problem on the left, the progress of the run on the right. Pure."""

from collections.abc import Iterator
from itertools import product
from typing import Final

from engine.programs import PROGRAM
from gdtui.state.record_source import Playback, ViewerRole
from gdtui.state.store import Store
from gdtui.state.stored.progress import share_done
from gdtui.view.text import formatting
from gdtui.view.text.caveats.imported import IMPORTED, is_foreign, is_imported, is_known
from gdtui.view.text.formatting import clock
from gdtui.view.text.heading.titles import joined, title_parts
from gdtui.view.text.progress.live import left_in_words, seconds_left
from gdtui.view.text.screen_text import STATE_STYLES
from gdtui.view.text.styled import StyledPart, StyledText

_DIM: Final = "$quiet"
_PENDING: Final = "bold $warning"
_SEEDS: Final = 3
"""Maximum number of seeds that are listed; more are counted."""
_BARS: Final = (12, 6)
"""Widths in cells of the progress bar."""
_GAP: Final = 2
"""Minimum cells between the two ends."""


def header(
    store: Store,
    width: int,
    now: float,
    role: ViewerRole | Playback = ViewerRole.TRAINER,
    read: float | None = None,
) -> StyledText:
    """Problem, model and seed on the left; progress, pace, time and state on the right.

    `now`: seconds since the Unix epoch. `role`: the viewer's part, shown unless it trains the run.
    `read`: the share of a long past that has been read; None once all of it has.
    """
    left, notes = title_parts(store.runs), _said(role, read)
    seconds = seconds_left(store)
    forms: list[tuple[float | None, int]] = [(now, bar) for bar in _BARS]
    if seconds is not None:  # more useful than the seconds since the start
        forms += [(None, bar) for bar in (*_BARS[1:], 0)]
    forms.append((now, 0))
    for head, (since, bar) in product((left, left[:1]), forms):
        right = _right(store, since, notes, bar, seconds)
        if _length(head) + _GAP + _length(right) <= width:
            break
    else:
        right = _right(store, now, notes, 0, None)
    return _both_ends([*left, *_training(store)], right, width)


def _right(
    store: Store,
    now: float | None,
    notes: list[StyledText],
    bar: int,
    seconds: float | None,
) -> list[StyledText]:
    """The right end, with a bar of this many cells; `now` None: without the time since the start.

    `notes`: at the very end. `seconds`: left until the end; None while unknown.
    """
    parts: list[StyledText] = []
    if is_known(store.slowest, "epoch"):
        parts.append(
            StyledText.of(_epoch(store), "bold") + _bar(store, bar if _is_planned(store) else 0)
        )
    if not all(map(is_imported, store.states)):
        if seconds is not None and _is_planned(store):
            parts.append(StyledText.of(left_in_words(seconds)))
        if not all(map(is_foreign, store.states)):
            parts += _pace(store)
        if now is not None:
            parts.append(StyledText.of(clock(store.clock(now))))
    parts.append(StyledText.of(*_run_state(store)))
    return [*parts, *notes]


def _epoch(store: Store) -> str:
    """The epoch of the slowest variant, of all planned for the run that takes longest."""
    slowest = store.slowest
    followed = store.states if len(store.runs) == 1 else [slowest]
    epochs = max(one.pending.epochs or one.tally.planned_epochs for one in followed)
    if not _is_planned(store):
        return f"epoch {slowest.tally.epoch}"
    return f"epoch {slowest.tally.epoch:>{len(str(epochs))}}/{epochs}"


def _is_planned(store: Store) -> bool:
    """True unless the slowest variant is a script or program with an unknown number of epochs."""
    slowest = store.slowest
    if slowest.tally.planned_epochs <= 1 and not is_known(slowest, "planned_epochs"):
        return False
    is_unknown = slowest.tally.planned_epochs in (0, 1) or not is_known(slowest, "epoch")
    return not (is_foreign(slowest) and is_unknown)


def _bar(store: Store, cells: int) -> StyledText:
    """The share of the plan that the slowest variant has done."""
    if not cells:
        return StyledText()
    done = int(share_done(store.slowest.tally) * cells)
    return StyledText(((" ", ""), ("━" * done, "$primary"), ("─" * (cells - done), _DIM)))


def _training(store: Store) -> list[StyledText]:
    """Model, device and seeds; for several runs, the model and the device if they share it."""
    slowest, runs = store.slowest, store.runs
    is_one, models = len(runs) == 1, {one.tally.model for one in store.states} - {""}
    model = slowest.tally.model if is_one or len(models) == 1 else ""
    device = slowest.tally.device or runs[0].device
    if store.has_devices:
        device = runs[0].device if is_one else ""
    if all(map(is_imported, store.states)):
        return [StyledText.of(IMPORTED)]
    if all(map(is_foreign, store.states)):
        return [StyledText.of(PROGRAM)]
    seeds = list(dict.fromkeys(run.seed for run in runs))
    said = f"{len(seeds)} seeds"
    if len(seeds) <= _SEEDS:
        said = f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
    return [StyledText.of(text) for text in (model, device, said) if text]


def _said(role: ViewerRole | Playback, read: float | None) -> list[StyledText]:
    """How much of a long past has been read, and the viewer's role."""
    reading = [] if read is None else [StyledText.of(f"reading {int(100 * read)}%", "bold $accent")]
    said = role_text(role)
    return [*reading, *[StyledText.of(said, "bold $accent")] * bool(said)]


_ROLES: Final = {ViewerRole.WATCHER: "watching", ViewerRole.ATTACHED: "attached, d detaches"}


def role_text(role: ViewerRole | Playback) -> str:
    """The viewer's role, such as "watching" or "replay ×10".

    Empty for the process that trains the run.
    """
    if not isinstance(role, Playback):
        return _ROLES.get(role, "")
    if role.has_ended:
        return "replay ended"
    return f"replay {formatting.speed(role.speed)}" + (" paused" if role.is_paused else "")


def _pace(store: Store) -> Iterator[StyledText]:
    """The pace, if all variants have the same."""
    if len(store.runs) > 1 and len({one.tally.pace for one in store.states}) > 1:
        return
    text = formatting.pace(store.pace)
    yield StyledText.of(f"{text}…", _PENDING) if store.is_pace_pending else StyledText.of(text)


def _run_state(store: Store) -> StyledPart:
    word = store.word
    if store.transition:
        return word, _PENDING
    styles = (style for each, style in STATE_STYLES.items() if each == word)
    return word, next(styles, "bold $warning")


def _both_ends(left: list[StyledText], right: list[StyledText], width: int) -> StyledText:
    """Both texts as far as they fit; first the left one is shortened at its end, then the right."""
    while left and _length(left) + _GAP + _length(right) > width:
        left.pop()
    while len(right) > 1 and _length(right) > width:
        right.pop(0)
    gap = StyledText.of(" " * max(0, width - _length(left) - _length(right)))
    return joined(left) + gap + joined(right)


def _length(parts: list[StyledText]) -> int:
    return joined(parts).cell_length
