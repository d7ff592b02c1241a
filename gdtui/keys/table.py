"""Every key of the program, in one table for bindings, footer, help, palette and README.

It has the name of each key and of its action; the main screen or the app defines the action.
"""

from itertools import groupby
from typing import Final

from textual.binding import Binding

from gdtui.keys.run_keys import COMMANDS
from gdtui.keys.stroke import Entry, Stroke
from gdtui.keys.view_keys import VIEW

_SELECT = tuple(Stroke(str(d), str(d), f"select({d})", f"Select variant {d}") for d in range(1, 10))

TABLE: Final[tuple[Entry, ...]] = (
    Entry(
        "select",
        "Variants",
        (*_SELECT, Stroke("0", "0", "select(0)", "Select all variants")),
        "choose the variant that keys act on, or all of them (0)",
        label="variant",
        shown="1…9 0",
    ),
    *COMMANDS,
    Entry(
        "landscape",
        "Measuring",
        (Stroke("v", "v", "landscape", "Landscape: the loss around the weights"),),
        "landscape: the loss around the weights, and the paths on it",
        label="landscape",
    ),
    Entry(
        "trends",
        "Measuring",
        (Stroke("V", "V", "trends", "Curvature and noise scale over training"),),
        "curvature against 2/lr, noise scale against batch, over time",
        label="trends",
    ),
    Entry(
        "metrics",
        "Measuring",
        (Stroke("Y", "Y", "metrics", "Metrics: every other number, in charts"),),
        "metrics: accuracy, gradient norm, whatever a run logs by name",
        label="metrics",
    ),
    *VIEW,
    Entry(
        "stills",
        "View",
        (Stroke("p", "p", "stills", "Save the screen and the chart as files"),),
        "save the screen (SVG, text) and the chart (text, HTML, PNG)",
    ),
    Entry(
        "explain",
        "Reading",
        (Stroke("e", "e", "explain", "Explain what is on screen"),),
        "explain what you see, and why; every figure's definition",
        label="explain",
    ),
    Entry(
        "guide",
        "Reading",
        (Stroke("G", "G", "guide", "Lesson: begin, come back, go on"),),
        "the guided lesson: begin it, come back to it, go on",
        label="lesson",
    ),
    Entry(
        "tables",
        "Reading",
        (Stroke("T", "T", "tables", "lr by batch size, and trade-offs"),),
        "lr by batch size under each rule; what batch sizes trade",
        label="tables",
    ),
    Entry(
        "code",
        "Reading",
        (Stroke("k", "k", "code", "Show the selected variant as code"),),
        "the selected variant as a command line and a PyTorch loop",
        label="code",
    ),
    Entry(
        "experiments",
        "Reading",
        (Stroke("X", "X", "experiments", "Experiments: the lesson's claims, tested"),),
        "experiments: claims of the lesson, tested over many seeds",
        label="experiments",
    ),
    Entry(
        "sweep",
        "Reading",
        (Stroke("W", "W", "sweep", "Sweep: the trade-off table, measured"),),
        "sweep: the trade-off table, measured here; what to choose",
        label="sweep",
    ),
    Entry(
        "palette",
        "Program",
        (Stroke("ctrl+p", "ctrl+p", "app.command_palette", "Command palette"),),
        "find a command by name",
    ),
    Entry(
        "help",
        "Program",
        (Stroke("question_mark", "?", "app.help", "Help"),),
        "this help",
        label="help",
    ),
    Entry(
        "detach",
        "Program",
        (Stroke("d", "d", "app.leave(0, True)", "Detach: leave the run to its host"),),
        "detach: the run trains on; gdtui attach comes back to it",
    ),
    Entry(
        "quit",
        "Program",
        (Stroke("q", "q", "app.leave(0)", "Quit"),),
        "quit; asks first after a minute. Ctrl+C: with exit status 130",
        label="quit",
    ),
)


def bindings() -> list[Binding]:
    """The main screen's bindings; hidden, since we draw the footer, not Textual."""
    return [
        Binding(stroke.key, stroke.action, stroke.title, key_display=stroke.shown, show=False)
        for entry in TABLE
        for stroke in entry.strokes
        if entry.id != "palette"  # Textual binds it itself
    ]


def reachable(variants: int) -> list[tuple[Entry, Stroke]]:
    """Every key with its entry, without the keys of variants beyond this number."""
    absent = {f"select({place})" for place in range(variants + 1, 10)}
    return [
        (entry, stroke)
        for entry in TABLE
        for stroke in entry.strokes
        if stroke.action not in absent
    ]


def groups() -> list[tuple[str, list[Entry]]]:
    """The table by group, in order."""
    return [
        (name, list(entries)) for name, entries in groupby(TABLE, key=lambda entry: entry.group)
    ]


def markdown() -> str:
    """The table as the README shows it."""
    lines = ["| Key | What it does |", "|---|---|"]
    for name, entries in groups():
        lines.append(f"| **{name}** | |")
        lines += [f"| {_code(entry)} | {entry.help} |" for entry in entries]
    return "\n".join(lines) + "\n"


def _code(entry: Entry) -> str:
    return " ".join(f"`{key}`" for key in entry.keys.split())
