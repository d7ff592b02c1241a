"""An experiment's report as text for reading. Pure: runs and decides nothing."""

import textwrap
from functools import partial
from typing import Final

from msgspec import UNSET

from engine.experiments.report import Arm, Report
from engine.settings import FULL
from gdtui.view.text.reports.align import align_columns

WIDTH: Final = 100
"""Columns of the report."""
_BAR: Final = 24
"""Columns of an interval's picture."""


def text(report: Report, width: int = WIDTH) -> str:
    """The report as text: claim, verdict, arms with intervals, and how they were judged."""
    paragraph = partial(_paragraph, width)
    parts = [
        f"{report.experiment}: {report.verdict.upper()}",
        paragraph("claim", report.claim),
        paragraph("measured", report.measured),
        textwrap.indent(_arms(report), "  "),
        *(
            [textwrap.indent(_figures(report), "  ")]
            if any(arm.figures for arm in report.arms)
            else []
        ),
        paragraph("meaning", report.meaning),
        *([paragraph("left out", failed_trials(report))] if report.failed else []),
        "\n".join(
            [
                paragraph("varied", report.varied),
                *(
                    paragraph("held" if at == 0 else "", held)
                    for at, held in enumerate(report.held)
                ),
                *(
                    paragraph("note" if at == 0 else "", note)
                    for at, note in enumerate(report.notes)
                ),
                paragraph("rule", report.rule),
                paragraph("source", report.source),
            ]
        ),
        f"{report.seeds} seeds · {report.device} · {report.seconds:.1f} s",
    ]
    return "\n\n".join(parts)


def failed_trials(report: Report) -> str:
    """The trials that failed, with the reasons."""
    return "; ".join(map(str, report.failed))


def _paragraph(width: int, name: str, words: str) -> str:
    return textwrap.fill(
        words,
        width,
        initial_indent=f"{name:<10}",
        subsequent_indent=" " * 10,
        break_on_hyphens=False,
    )


def _arms(report: Report) -> str:
    """A line per arm, with its interval in figures and drawn on a common scale."""
    counts = report.arms[0].escaped is not UNSET
    high = 1.0 if counts else max(arm.interval[1] for arm in report.arms)
    low = 0.0 if counts else min(0.0, *(arm.interval[0] for arm in report.arms))
    heading = ("arm", "escaped" if counts else "mean", "95% interval", "")
    rows = [
        (_name(arm), _value(arm, report.seeds), interval(*arm.interval), _picture(arm, low, high))
        for arm in report.arms
    ]
    return align_columns([heading, *rows], left={0, 3})


def _name(arm: Arm) -> str:
    if arm.name != str(arm.batch_size):
        return arm.name
    return "full batch" if arm.batch_size == FULL else f"batch size {arm.batch_size}"


def _value(arm: Arm, seeds: int) -> str:
    return number(arm.value) if isinstance(arm.value, float) else f"{arm.escaped} of {seeds}"


def _picture(arm: Arm, low: float, high: float) -> str:
    """`├──●──┤`, placed between low and high."""
    value = arm.value if isinstance(arm.value, float) else sum(arm.per_seed) / len(arm.per_seed)
    span = (high - low) or 1.0
    first, middle, last = (
        round((x - low) / span * (_BAR - 1)) for x in (arm.interval[0], value, arm.interval[1])
    )
    cells = ["·"] * _BAR
    cells[first : last + 1] = "─" * (last + 1 - first)
    cells[first], cells[last] = "├", "┤"
    cells[middle] = "●"
    return "".join(cells)


def _figures(report: Report) -> str:
    """The other measurements: a column per arm, with its interval below each figure."""
    rows: list[tuple[str, ...]] = [("also measured", *map(_name, report.arms))]
    for first in report.arms[0].figures:
        found = [
            figure for arm in report.arms for figure in arm.figures if figure.name == first.name
        ]
        if len(found) < len(report.arms):
            continue
        name = f"{first.name}, {first.unit}" if first.unit else first.name
        rows.append((name, *(number(figure.value) for figure in found)))
        rows.append(("", *(interval(*figure.interval) for figure in found)))
    return align_columns(rows, left={0})


def interval(low: float, high: float) -> str:
    return f"{number(low)} … {number(high)}"


def number(value: float) -> str:
    """Three significant digits."""
    if value == 0:
        return "0"
    size = abs(value)
    if 1e-4 <= size < 1e9:
        digits = max(0, 2 - int(f"{size:e}".partition("e")[2]))
        return f"{value:,.{digits}f}"
    return f"{value:.1e}"
