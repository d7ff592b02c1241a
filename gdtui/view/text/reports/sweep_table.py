"""A sweep's table for people and programs: text, Markdown, CSV, and charts against batch size.

Pure: turns the document of engine.sweep.table into text. Measures and decides nothing.
"""

import csv
import io
import math
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from engine.settings import FULL
from engine.settings.text import to_json
from engine.sweep.table import Recommendation, Sweep, SweepRow, label
from gdtui.chart.drawing.frame import still
from gdtui.chart.scene.palette import DARK
from gdtui.chart.scene.picture import Picture, Scale, Series
from gdtui.chart.scene.polyline import Polyline
from gdtui.chart.scene.scales.ticks import nice_ticks
from gdtui.view.text.reports.align import align_columns
from gdtui.view.text.reports.experiment_report import number
from gdtui.view.text.reports.failures import failure_lines

_WIDTH: Final = 100
_CHART: Final = (76, 14)
"""Columns and rows of a chart."""
_NOTHING: Final = "–"
CONTRADICTED: Final = "✗"
"""The mark of a word of the lesson that is contradicted by the figures beside it."""

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")

CSV_COLUMNS: Final = (
    "batch_size", "accumulation_steps", "samples_per_update", "lr", "gradient_noise",
    "samples_per_s", "ms_per_update", "peak_memory_mb", "loss_equal_epochs", "loss_equal_seconds",
    "seconds_to_loss", "generalisation_gap", "state",
)  # fmt: skip
_LESSON_COLUMNS: Final = ("gradient_quality", "gpu_efficiency", "generalisation", "memory")


def text(sweep: Sweep) -> str:
    """The whole report: table with the lesson's words, definitions, charts, recommendation."""
    title = f"{sweep.problem} · {sweep.device} · seed {sweep.seed} · one batch size at a time"
    parts = [title, *missing(sweep)]
    if sweep.rows:
        parts = [title, table(sweep), *missing(sweep), _definitions(sweep), *_charts(sweep)]
    return "\n\n".join([*parts, advice(sweep)])


def table(sweep: Sweep) -> str:
    """A column per batch size; the lesson's word, if there is one, is below the figure."""
    rows: list[tuple[str, ...]] = [("batch size", *map(_batch, sweep.rows))]
    for heading, measured, said in _figures(sweep):
        rows.append((heading, *map(measured, sweep.rows)))
        if said is not None:
            rows.append(("  in the lesson", *map(said, sweep.rows)))
    return align_columns(rows, left={0})


def missing(sweep: Sweep) -> Iterator[str]:
    """The arms without a column, and what else is missing, with the reasons."""
    lines = [*failure_lines((arm.name, arm.reason) for arm in sweep.failed), *sweep.notes]
    if lines:
        yield "\n".join(map(_filled, lines))


CellText = Callable[[SweepRow], str]


def _word(name: str) -> CellText:
    """A word of the lesson, marked where what was measured contradicts it."""
    return lambda row: f"{CONTRADICTED} " * (name in row.contradicted) + getattr(row.lesson, name)


def _figures(sweep: Sweep) -> tuple[tuple[str, CellText, CellText | None], ...]:
    """Heading, measured figures, and the lesson's words for them, if any."""
    return (
        ("lr", lambda row: f"{row.lr:.4g}", None),
        (
            "gradient noise",
            lambda row: _number(row.gradient_noise),
            _word("gradient_quality"),
        ),
        (
            "samples/s",
            lambda row: _number(row.samples_per_s),
            _word("gpu_efficiency"),
        ),
        ("ms an update", lambda row: _number(row.ms_per_update), None),
        ("peak memory, MB", lambda row: _number(row.peak_memory_mb), _word("memory")),
        (f"loss after {_epochs(sweep)}", lambda row: _number(row.loss_equal_epochs), None),
        (
            f"loss after {_number(sweep.seconds)} s",
            lambda row: _number(row.loss_equal_seconds),
            None,
        ),
        (f"s to loss {_number(sweep.target_loss)}", lambda row: _number(row.seconds_to_loss), None),
        (
            "validation gap",
            lambda row: _number(row.generalisation_gap),
            _word("generalisation"),
        ),
    )


def _batch(row: SweepRow) -> str:
    size = label(row.batch_size)
    steps = "" if row.accumulation_steps == 1 else f" ×{row.accumulation_steps}"
    return f"{size}{steps}" if row.state == "finished" else f"{size}{steps} ({row.state})"


def _number(value: float | None) -> str:
    return _NOTHING if value is None else number(value)


def _definitions(sweep: Sweep) -> str:
    lines = [
        "gradient noise: error of an update's gradient ÷ the gradient, √(tr(Σ)(1/b − 1/n)) ÷ |G|"
        + ("" if sweep.noise_scale is None else f", {sweep.noise_scale.place}"),
        _noise(sweep),
        "samples/s, ms an update: in the fastest tenth of the timed batches, least disturbed by "
        "other load",
        "peak memory: data, weights, gradients, optimiser state and activations, without torch "
        "itself",
        f"loss: on all training data, after {_epochs(sweep)}, and after as many seconds of "
        "training as the slowest arm took for that",
        f"s to loss {_number(sweep.target_loss)}: training time to a loss that every arm reached "
        "in those seconds",
        _gap(sweep),
    ]
    if any(row.contradicted for row in sweep.rows):
        lines.append(
            f"{CONTRADICTED}: the figures of this column lie the other way round, or are the same "
            "for words far apart, so that the lesson's word is contradicted here"
        )
    return "\n".join(
        textwrap.fill(line, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        for line in lines
    )


def _gap(sweep: Sweep) -> str:
    if all(row.generalisation_gap is None for row in sweep.rows):
        return "validation gap: not measured, since the problem has no held-out data"
    return f"validation gap: validation loss − training loss, after {_epochs(sweep)}"


def _epochs(sweep: Sweep) -> str:
    return "1 epoch" if sweep.epochs == 1 else f"{sweep.epochs} epochs"


def _noise(sweep: Sweep) -> str:
    noise = sweep.noise_scale
    if noise is None:
        return "noise scale: not measured"
    if noise.value is None:
        return "noise scale tr(Σ)/|G|²: unbounded, since the gradient cannot be told from zero"
    low, high = number(noise.low or 0.0), "∞" if noise.high is None else number(noise.high)
    return f"noise scale tr(Σ)/|G|²: {number(noise.value)} samples (95%: {low} … {high})"


def advice(sweep: Sweep) -> str:
    """The settings measured best, and why; then what theory predicts for a tuned lr."""
    measured, predicted = sweep.recommendation, sweep.prediction
    if not sweep.rows:
        return "No recommendation: no batch size could be measured."
    if measured is None and predicted is None:
        return "No recommendation: no arm trained soundly. Try a smaller --lr."
    if measured is None:
        said = ["No recommendation: the loss of no arm was measured."]
    else:
        said = [f"measured best: {_choice(measured)}", _filled(measured.reason)]
    if predicted is not None:
        said += [
            f"prediction, once the lr is tuned: {_choice(predicted)}",
            _filled(predicted.reason),
        ]
    return "\n".join(said)


def _choice(choice: Recommendation) -> str:
    steps = "" if choice.accumulation_steps == 1 else f", accumulation {choice.accumulation_steps}"
    return f"batch size {label(choice.batch_size)}, lr {choice.lr:.4g}{steps}"


def _filled(reason: str) -> str:
    return textwrap.fill(reason, _WIDTH, break_on_hyphens=False)


# --- Charts ---------------------------------------------------------------------------------------


def _charts(sweep: Sweep) -> list[str]:
    """Throughput and time to the loss, against samples per update."""
    rows = sorted(sweep.rows, key=lambda row: row.samples_per_update)
    speeds = [(row.samples_per_update, row.samples_per_s) for row in rows]
    times = [(row.samples_per_update, row.seconds_to_loss) for row in rows]
    found = []
    for title, measured, colour in (
        ("samples per second", speeds, DARK[0]),
        (f"seconds to a loss of {_number(sweep.target_loss)}", times, DARK[1]),
    ):
        points = [
            (float(samples), value)
            for samples, value in measured
            if value is not None and value > 0
        ]
        if len(points) > 1:
            found.append(still(_picture(rows, points, title, colour), *_CHART).rstrip("\n"))
    return found


def _picture(
    rows: Sequence[SweepRow], points: Sequence[tuple[float, float]], title: str, colour: str
) -> Picture:
    xs, ys = (np.array(values) for values in zip(*points, strict=True))
    line = Polyline(xs, ys, ys)
    low, high = float(ys.min()) / 1.5, float(ys.max()) * 1.5
    ticks = tuple(
        (
            float(row.samples_per_update),
            FULL if row.batch_size == FULL else f"{row.samples_per_update:,}",
        )
        for row in rows
    )
    left, right = float(xs.min()), float(xs.max())
    return Picture(
        x=Scale(left / 1.1, right * 1.1, ticks, title="samples an update", log=True),
        y=Scale(low, high, nice_ticks(low, high, 5, log=True), log=True),
        series=(Series(label=title, colour=colour, line=line, points=line),),
        title=title,
    )


# --- For programs ---------------------------------------------------------------------------------


def markdown(sweep: Sweep) -> str:
    """The table as Markdown, the lesson's words in brackets, and the recommendation."""
    figures = _figures(sweep)
    lines = [
        "| batch size | " + " | ".join(heading for heading, _, _ in figures) + " |",
        "|" + "---:|" * (len(figures) + 1),
    ]
    for row in sweep.rows:
        cells = [
            measured(row) if said is None else f"{measured(row)} ({said(row)})"
            for _, measured, said in figures
        ]
        lines.append("| " + " | ".join([_batch(row), *cells]) + " |")
    marks = any(row.contradicted for row in sweep.rows)
    notes = [f"{CONTRADICTED}: contradicted by the figures of its column", ""] if marks else []
    absent = [line for text in missing(sweep) for line in (text, "")]
    return "\n".join([*lines, "", *notes, *absent, advice(sweep)])


def as_csv(sweep: Sweep) -> str:
    """A row per batch size; fields that were not measured are empty.

    The lesson's words are in the last columns.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    words = [f"lesson_{name}" for name in _LESSON_COLUMNS]
    writer.writerow([*CSV_COLUMNS, *words, "lesson_contradicted"])
    for row in sweep.rows:
        cells = [getattr(row, name) for name in CSV_COLUMNS]
        writer.writerow(
            [
                *map(_cell, cells),
                *(getattr(row.lesson, name) for name in _LESSON_COLUMNS),
                " ".join(row.contradicted),
            ]
        )
    return out.getvalue().rstrip("\n")


def _cell(value: object) -> object:
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


FORMS: Final[dict[str, Callable[[Sweep], str]]] = {
    "text": text,
    "markdown": markdown,
    "csv": as_csv,
    "json": lambda found: to_json(found).decode(),
}


def without_colours(said: str) -> str:
    """A text without the colours of its charts."""
    return _COLOUR.sub("", said)
