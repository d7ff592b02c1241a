"""Every key of the app, in one table: bindings, footer, help screen, palette and README come from it.

Says what a key is called and which action it runs; what the action does is the app's.
"""

from itertools import groupby
from typing import Final

from textual.binding import Binding

from gdtui.stroke import Entry, Stroke
from gdtui.view_keys import VIEW

_SELECT = tuple(Stroke(str(d), str(d), f"select({d})", f"Select variant {d}") for d in range(1, 10))

TABLE: Final[tuple[Entry, ...]] = (
    Entry(
        "select",
        "Which variants",
        (*_SELECT, Stroke("0", "0", "select(0)", "Select all variants")),
        "choose the variant that keys act on, or all of them (0), as at the start",
        label="variant",
        rank=5,
        shown="1…9 0",
    ),
    Entry(
        "batch",
        "Settings of the selected",
        (
            Stroke("left_square_bracket", "[", "batch(-1)", "Batch size: halve"),
            Stroke("right_square_bracket", "]", "batch(1)", "Batch size: double"),
        ),
        "halve or double the batch size: 1, 2, 4 … full",
        label="batch",
        rank=1,
    ),
    Entry(
        "lr",
        "Settings of the selected",
        (
            Stroke("comma", ",", "lr(-1)", "Learning rate: down"),
            Stroke("full_stop", ".", "lr(1)", "Learning rate: up"),
        ),
        "base learning rate down or up: 1, 2, 5, 10 …",
        label="lr",
        rank=1,
    ),
    Entry(
        "accumulation",
        "Settings of the selected",
        (
            Stroke("A", "A", "accumulation(-1)", "Accumulation: halve"),
            Stroke("a", "a", "accumulation(1)", "Accumulation: double"),
        ),
        "halve or double the batches that are accumulated into one update",
        label="accum",
        rank=4,
    ),
    Entry(
        "accumulate",
        "Settings of the selected",
        (Stroke("u", "u", "accumulate", "Accumulate instead: half the batch, twice accumulated"),),
        "halve the batch, double the accumulation: the same effective batch in less memory",
    ),
    Entry(
        "momentum",
        "Settings of the selected",
        (Stroke("m", "m", "momentum", "Momentum: 0 or 0.9"),),
        "momentum 0 or 0.9",
        label="momentum",
        rank=7,
    ),
    Entry(
        "edit",
        "Settings of the selected",
        (Stroke("enter", "enter", "edit", "Type exact settings"),),
        "type exact values",
        label="edit",
        rank=6,
    ),
    Entry(
        "restart",
        "Settings of the selected",
        (Stroke("r", "r", "restart", "Restart from the same first weights"),),
        "restart from the same first weights; the old curve stays as a ghost",
        label="restart",
        rank=2,
    ),
    Entry(
        "scaling.restart",
        "All variants",
        (Stroke("S", "S", "scaling(True)", "Scale the lr by another rule and restart all"),),
        "next lr scaling rule (none, linear, sqrt) and restart all: the fair comparison",
        label="scale+restart",
        rank=2,
    ),
    Entry(
        "scaling",
        "All variants",
        (Stroke("s", "s", "scaling(False)", "Scale the lr by another rule from here on"),),
        "next lr scaling rule from here on; different pasts stay different",
        label="scale",
        rank=3,
    ),
    Entry(
        "pause",
        "All variants",
        (Stroke("space", "space", "pause", "Pause or resume"),),
        "pause or resume; also tries again after a full disk",
        label="pause",
        rank=1,
    ),
    Entry(
        "step",
        "All variants",
        (Stroke("n", "n", "step", "One update, then pause"),),
        "one update of each selected variant, then pause",
        label="one update",
        rank=6,
    ),
    Entry(
        "extend",
        "All variants",
        (Stroke("c", "c", "extend", "Train as many epochs again"),),
        "continue: as many epochs again",
        label="continue",
        rank=5,
    ),
    Entry(
        "pace",
        "All variants",
        (
            Stroke("less_than_sign", "<", "pace(-1)", "Pace: slower"),
            Stroke("greater_than_sign", ">", "pace(1)", "Pace: faster"),
        ),
        "slower or faster, in epochs a second",
        label="pace",
        rank=4,
    ),
    Entry(
        "free",
        "All variants",
        (Stroke("f", "f", "free", "Pace: free, or back"),),
        "free: as fast as the device goes; again: back to the pace before",
        label="free",
        rank=7,
    ),
    Entry(
        "measure",
        "Measuring",
        (Stroke("exclamation_mark", "!", "measure", "Measure noise scale and sharpness now"),),
        "measure noise scale and sharpness of the selected now",
        label="measure",
        rank=8,
    ),
    Entry(
        "measuring",
        "Measuring",
        (Stroke("M", "M", "measuring", "Measuring: on or off"),),
        "measure now and then, for 3% of the time (as at the start), or only when asked",
    ),
    Entry(
        "landscape",
        "Measuring",
        (Stroke("v", "v", "landscape", "Landscape: the loss around the weights"),),
        "the loss on a plane through the weights, with the paths that training takes on it",
        label="landscape",
        rank=7,
    ),
    Entry(
        "trends",
        "Measuring",
        (Stroke("V", "V", "trends", "Sharpness and noise scale over training"),),
        "sharpness against 2/lr, and the noise scale against the batch, over all of training",
        label="trends",
        rank=8,
    ),
    *VIEW,
    Entry(
        "stills",
        "View",
        (Stroke("p", "p", "stills", "Save the screen and the chart as files"),),
        "save the screen (SVG, text) and the selected chart, or the overlay (text, HTML)",
    ),
    Entry(
        "explain",
        "Reading",
        (Stroke("e", "e", "explain", "Explain what is on screen"),),
        "what you see and why, with the figures just measured; every figure's definition",
        label="explain",
        rank=2,
    ),
    Entry(
        "tables",
        "Reading",
        (Stroke("T", "T", "tables", "lr by batch size, and trade-offs"),),
        "lr by batch size under each rule, and what the batch sizes trade",
        label="tables",
        rank=8,
    ),
    Entry(
        "code",
        "Reading",
        (Stroke("k", "k", "code", "Show the selected variant as code"),),
        "the selected variant as a command line and a plain PyTorch loop, to copy or save",
        label="code",
        rank=8,
    ),
    Entry(
        "experiments",
        "Reading",
        (Stroke("X", "X", "experiments", "Experiments: the lesson's claims, tested"),),
        "experiments: a claim of the lesson tested over many seeds; training waits meanwhile",
        label="experiments",
        rank=8,
    ),
    Entry(
        "sweep",
        "Reading",
        (Stroke("W", "W", "sweep", "Sweep: the trade-off table, measured"),),
        "sweep: the trade-off table measured on this problem, and what to choose",
        label="sweep",
        rank=8,
    ),
    Entry(
        "palette",
        "Program",
        (Stroke("ctrl+p", "ctrl+p", "command_palette", "Command palette"),),
        "find a command by name",
    ),
    Entry(
        "help",
        "Program",
        (Stroke("question_mark", "?", "help", "Help"),),
        "this help",
        label="help",
        rank=0,
    ),
    Entry(
        "quit",
        "Program",
        (Stroke("q", "q", "leave(0)", "Quit"),),
        "quit at once; the run is kept on disk. Ctrl+C does the same, with exit status 130",
        label="quit",
        rank=0,
    ),
)


def bindings() -> list[Binding]:
    """The app's bindings; the footer is our own, so Textual shows none."""
    return [
        Binding(stroke.key, stroke.action, stroke.title, key_display=stroke.shown, show=False)
        for entry in TABLE
        for stroke in entry.strokes
        if entry.id != "palette"  # Textual binds it itself
    ]


def groups() -> list[tuple[str, list[Entry]]]:
    """The table by group, in order."""
    return [(name, list(entries)) for name, entries in groupby(TABLE, key=lambda entry: entry.group)]


_COMMANDS: Final = frozenset({"Settings of the selected", "All variants"})
"""Groups of what changes how a run trains; of another's run these keys only say that they can't."""


def is_command(entry: Entry) -> bool:
    """Whether it is for who trains the run."""
    return entry.group in _COMMANDS or entry.id in ("measure", "measuring")


def footer_entries(width: int, obeyed: frozenset[str] | None = None) -> list[Entry]:
    """The footer's entries, in the table's order, as many as fit `width` cells with a gap of two.

    `obeyed`: ids of the commands that have an effect; None: all.
    """
    chosen: set[str] = set()
    used = 0
    offered = (
        entry
        for entry in TABLE
        if entry.label and (obeyed is None or entry.id in obeyed or not is_command(entry))
    )
    for entry in sorted(offered, key=lambda entry: entry.rank):
        needed = len(entry.keys) + 1 + len(entry.label) + (2 if chosen else 0)
        if used + needed > width:
            continue
        chosen.add(entry.id)
        used += needed
    return [entry for entry in TABLE if entry.id in chosen]


def markdown() -> str:
    """The table as the README shows it."""
    lines = ["| Key | What it does |", "|---|---|"]
    for name, entries in groups():
        lines.append(f"| **{name}** | |")
        lines += [f"| {_code(entry)} | {entry.help} |" for entry in entries]
    return "\n".join(lines) + "\n"


def _code(entry: Entry) -> str:
    return " ".join(f"`{key}`" for key in entry.keys.split())
