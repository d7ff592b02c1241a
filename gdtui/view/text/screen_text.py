"""The screen's lines of text: pure functions from state to styled text of a given width.

Fields keep their width while figures change, so that nothing jumps.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from engine.log.figures.growth import DIVERGING
from engine.log.notices import Notice, NoticeKind
from engine.log.records import State
from engine.settings import LrScaling, Precision
from gdtui.chart.scene.palette import COLOURS
from gdtui.chart.scene.shortening import shortened
from gdtui.state.record_source import Playback, ViewerRole
from gdtui.state.store import Store
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.caveats.imported import IMPORTED, is_imported, is_known, is_made_up
from gdtui.view.text.caveats.label import label
from gdtui.view.text.styled import NEW_LINE, StyledPart, StyledText

_DIM: Final = "$quiet"
_PENDING: Final = "bold $warning"
_STYLES: Final = {
    State.RUNNING: "$success",
    State.FINISHED: "$primary",
    State.PAUSED: "$warning",
    State.STARTING: "$warning",
    State.DIVERGED: "bold $error",
    **{state: "bold $error" for state in State if state.is_cut_short},
}
_SEEDS: Final = 3
"""Maximum number of seeds that are listed; more are counted."""
NAME: Final = 15
"""Minimum width of a name in a line, in cells."""
_NAME_SHARE: Final = 6
"""A name takes at most one part in this many of a line."""
NOT_THE_BIG_BATCH: Final = "≠"
"""Marks accumulated batches, or batches computed in pieces, that do not equal one large batch."""
_SHORT: Final = {"accum": "", "momentum": "mom", "optimizer": ""}
"""Names of settings in a narrow panel; their values speak for themselves."""


def join_parts(parts: Sequence[StyledPart], separator: str = "") -> StyledText:
    pieces: list[StyledPart] = []
    for place, part in enumerate(parts):
        if place and separator:
            pieces.append((separator, _DIM))
        pieces.append(part)
    return StyledText(tuple(pieces))


def colour_of(one: VariantState) -> str:
    return f"$variant-{one.index % COLOURS + 1}"


def state(one: VariantState) -> StyledPart:
    """The state of a variant, in its colour."""
    style = "bold $error" if one.is_diverging else _STYLES.get(one.tally.state, "")
    if one.word != one.tally.state and one.tally.state is State.FINISHED:
        style = "bold $error" if one.is_diverging else "bold $warning"
    return one.word, _PENDING if one.transition else style


def short_state(one: VariantState) -> StyledPart:
    """The state in the cells of a line: "worse" for a loss that ended above its start."""
    word, style = state(one)
    return ("worse" if one.verdict and one.tally.state is State.FINISHED else word), style


def state_and_device(one: VariantState, store: Store) -> StyledPart:
    """The state, with the device if there are several."""
    word, style = state(one)
    return (
        f"{one.tally.device} · {word}" if store.has_devices and one.tally.device else word
    ), style


# --- Header ---------------------------------------------------------------------------------------


def header(
    store: Store, width: int, now: float, role: ViewerRole | Playback = ViewerRole.TRAINER
) -> StyledText:
    """Problem, model and seed on the left; epoch, pace, time and state on the right.

    `now`: seconds since the Unix epoch. `role`: the viewer's part, shown unless it trains the run.
    """
    slowest, is_one = store.slowest, len(store.runs) == 1
    followed = store.states if is_one else [slowest]
    epochs = max(one.pending.epochs or one.tally.planned_epochs for one in followed)
    epoch = f"epoch {slowest.tally.epoch:>{len(str(epochs))}}/{epochs}"
    right: list[StyledPart] = [(epoch, "bold")] * is_known(slowest, "epoch")
    if not all(map(is_imported, store.states)):
        right += [*_pace(store), (formatting.clock(store.clock(now)), "")]
    right += [_run_state(store), *[(said, "bold $accent") for said in [role_text(role)] if said]]
    left: list[StyledPart] = [("gdtui", "bold $primary")]
    if not is_one:
        left.append((f"{len(store.runs)} runs", "bold"))
    return _both_ends([*left, (store.title, "bold"), *_training(store)], right, width)


def _training(store: Store) -> list[StyledPart]:
    """Model, device and seeds; for several runs, the model and the device if they share it."""
    slowest, runs = store.slowest, store.runs
    is_one, models = len(runs) == 1, {one.tally.model for one in store.states} - {""}
    model = slowest.tally.model if is_one or len(models) == 1 else ""
    device = slowest.tally.device or runs[0].device
    if store.has_devices:
        device = runs[0].device if is_one else ""
    if all(map(is_imported, store.states)):
        return [(IMPORTED, "")]
    seeds = list(dict.fromkeys(run.seed for run in runs))
    said = f"{len(seeds)} seeds"
    if len(seeds) <= _SEEDS:
        said = f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
    return [(text, "") for text in (model, device, said) if text]


def role_text(role: ViewerRole | Playback) -> str:
    """The viewer's role, such as "watching" or "replay ×10".

    Empty for the process that trains the run.
    """
    if not isinstance(role, Playback):
        return "watching" if role is ViewerRole.WATCHER else ""
    if role.has_ended:
        return "replay ended"
    return f"replay {formatting.speed(role.speed)}" + (" paused" if role.is_paused else "")


def _pace(store: Store) -> Iterator[StyledPart]:
    """The pace, if all variants have the same."""
    if len(store.runs) > 1 and len({one.tally.pace for one in store.states}) > 1:
        return
    text = formatting.pace(store.pace)
    yield (f"{text}…", _PENDING) if store.is_pace_pending else (text, "")


def _run_state(store: Store) -> StyledPart:
    word = store.word
    if store.transition:
        return word, _PENDING
    return word, next((style for each, style in _STYLES.items() if each == word), "bold $warning")


def _both_ends(left: list[StyledPart], right: list[StyledPart], width: int) -> StyledText:
    """Both texts as far as they fit; first the left one is shortened at its end, then the right."""
    while left and _length(left) + 2 + _length(right) > width:
        left.pop()
    while len(right) > 1 and _length(right) > width:
        right.pop(0)
    gap = max(0, width - _length(left) - _length(right))
    return join_parts(left, " · ") + StyledText.of(" " * gap) + join_parts(right, " · ")


def _length(parts: list[StyledPart]) -> int:
    return sum(len(text) for text, _ in parts) + 3 * max(0, len(parts) - 1)


# --- One variant ----------------------------------------------------------------------------------


def settings(one: VariantState, width: int) -> StyledText:
    """The settings in force, preceded by pending changes such as "batch 64→128…".

    Shortened if the panel is narrow.
    """
    said = _settings(one, is_short=False)
    return said if said.cell_length <= width else _settings(one, is_short=True)


def _settings(one: VariantState, *, is_short: bool) -> StyledText:
    n = one.tally.n
    now, wanted = one.tally.settings, one.wanted
    parts: list[StyledPart] = []
    pending: list[StyledPart] = []
    fields = zip(formatting.fields(now, n), formatting.fields(wanted, n), strict=True)
    for (name, value), (_, new) in fields:
        if is_made_up(one, name):
            continue
        if value != new:
            pending.append((f"{name} {value}→{new}…", _PENDING))
        elif name == "batch":
            parts.append(
                (f"batch {value if is_short else formatting.batch(now.batch_size, n)}", "")
            )
        elif name == "lr":
            parts.append((_lr(one, is_short=is_short), ""))
        elif _is_telling(name, one):
            said = f"{_SHORT.get(name, name) if is_short else name} {value}".strip()
            parts.append((said + _worked(name, one), ""))
    if one.tally.is_big_batch is False:
        parts.append((NOT_THE_BIG_BATCH if is_short else "not the big batch", "$warning"))
    return join_parts(pending + parts, " · ")


def _lr(one: VariantState, *, is_short: bool) -> str:
    """The lr in force and, with a rule or a schedule, the lr that it was made from."""
    now, resolved = one.tally.settings, one.tally.resolved
    rules = [str(now.lr_scaling)] * (now.lr_scaling is not LrScaling.NONE)
    rules += [f"warm-up + {now.schedule}" if now.warmup else str(now.schedule)] * (
        not now.has_constant_lr
    )
    if not rules or resolved is None:
        return f"lr {formatting.setting(now.lr)}"
    if is_short:
        return f"lr {formatting.rounded(resolved.lr)} {rules[0]}"
    how = ", ".join(rules)
    return f"lr {formatting.rounded(resolved.lr)} ({how} from {formatting.setting(now.lr)})"


def _worked(name: str, one: VariantState) -> str:
    """The effect of a setting on the updates so far."""
    recipe = one.tally.recipe
    if name == "clip" and (share := recipe.clipped_share) is not None:
        return f" ({share:.0%} clipped)"
    return f" ({recipe.skipped:,} skipped)" if name == "precision" and recipe.skipped else ""


def _is_telling(name: str, one: VariantState) -> bool:
    """True for a setting with an unusual value."""
    now = one.tally.settings
    return {
        "accum": now.accumulation_steps != 1,
        "momentum": now.momentum != 0,
        "optimizer": now.optimizer.lower() != "sgd",
        "clip": now.clip is not None,
        "precision": now.precision is not Precision.FP32,
        "batch warm-up": now.batch_warmup != 0,
    }.get(name, False)


def trouble(one: VariantState) -> str:
    """The trouble of a variant in one sentence; empty if there is none."""
    if one.notice:
        return one.notice
    if one.tally.state is State.DIVERGED or one.is_cut_short:
        return (
            f"{one.tally.state}: {one.tally.detail}" if one.tally.detail else str(one.tally.state)
        )
    if one.is_diverging:
        return (
            f"diverging: the loss is over {DIVERGING:,.0f} × that at the start; lower the lr (,), "
            "then press r"
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
