"""The texts of the experiments' and the sweep's screens, in colour: pure functions."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from engine.experiments.report import Report, Verdict
from engine.jobs.messages import Failure, Result
from engine.sweep.table import Sweep
from gdtui.state.store import Store
from gdtui.view.text.reports import experiment_report, sweep_table
from gdtui.view.text.styled import EMPTY, NEW_LINE, StyledText, lines

_BAR: Final = 20
"""Cells of the bar."""
_NAME: Final = 10
"""Cells of a paragraph's name in a report."""
_STYLES: Final = {
    Verdict.SUPPORTED: "bold $success",
    Verdict.NOT_SUPPORTED: "bold $error",
    Verdict.UNDECIDED: "bold $warning",
    Verdict.NOT_GIVEN: "bold $error",
}
_PICTURE: Final = re.compile(r"[├─●┤]+")


def outcome(end: Result[Any] | Failure) -> str:
    """The end of an experiment or a sweep, in a few words."""
    if isinstance(end, Failure):
        return f"failed: {' '.join(end.detail.split())}"
    if isinstance(end.value, Report):
        return str(end.value.verdict)
    rows, failed = len(end.value.rows), len(end.value.failed)
    return f"{rows} of {rows + failed} rows measured" if failed else "the table is complete"


def verdict(end: Result[Any] | Failure) -> StyledText:
    """The verdict of an experiment, in its colour."""
    if isinstance(end, Failure):
        return StyledText.of("failed", "$error")
    return StyledText.of(str(end.value.verdict), _STYLES[end.value.verdict])


@dataclass(frozen=True, slots=True, kw_only=True)
class LabProgress:
    """The progress of work beside the training."""

    name: str
    share: float
    """Completed share, from 0 to 1."""
    doing: str
    seconds: float
    """Seconds since it began."""
    holds_training: bool
    """True if training is paused for it."""


def progress(lab: LabProgress, store: Store, width: int) -> StyledText:
    """A bar with the share done, and the state of the training meanwhile; `width` in cells."""
    full = round(lab.share * _BAR)
    bar = StyledText.of("━" * full, "$accent") + StyledText.of("━" * (_BAR - full), "$edge")
    head = StyledText.of(f"{lab.name}  ", "bold") + bar
    said = f"  {lab.share:4.0%}   {lab.seconds:.0f} s   {lab.doing}"
    return head + StyledText.of(said) + NEW_LINE + _note(_meanwhile(lab, store), width)


def _meanwhile(lab: LabProgress, store: Store) -> str:
    if store.is_going:
        return "training continues beside it, so both are slower"
    if lab.holds_training:
        return (
            "training is paused meanwhile, so the figures are those of a free machine; "
            "then it resumes"
        )
    return "nothing is training meanwhile, so the figures are those of a free machine"


def waiting_note(store: Store, *, is_ours: bool) -> str:
    """A sentence on training meanwhile.

    Empty if nothing is training, or if the run is not ours to pause (`is_ours`).
    """
    return (
        " Training is paused meanwhile and resumes afterwards."
        if is_ours and store.is_going
        else ""
    )


def failure(end: Failure) -> StyledText:
    return StyledText.of(outcome(end), "$error")


def report(found: Report, width: int) -> StyledText:
    """An experiment's report as the command prints it."""
    first, *rest = experiment_report.text(found, min(width, experiment_report.WIDTH)).splitlines()
    painted = [StyledText.of(first, _STYLES[found.verdict]), *map(_report_line, rest)]
    return lines(painted)


def _report_line(line: str) -> StyledText:
    if (picture := _PICTURE.search(line)) and "●" in line:
        start, end = picture.span()
        return StyledText(((line[:start], ""), (line[start:end], "$accent"), (line[end:], "")))
    if line[:1].isalpha():
        return StyledText(((line[:_NAME], "$primary"), (line[_NAME:], "")))
    return StyledText.of(line)


def labelled_paragraph(name: str, text: str, width: int) -> StyledText:
    """A paragraph of this width in cells, with its name in a column on the left."""
    first, *rest = textwrap.wrap(text, max(width - _NAME, _NAME), break_on_hyphens=False)
    head = StyledText.of(f"{name:<{_NAME}}", "$primary") + StyledText.of(first)
    return lines([head, *(StyledText.of(" " * _NAME + line) for line in rest)])


def table(found: Sweep, width: int) -> StyledText:
    """The recommendation, then table, definitions and charts as the command prints them."""
    advice = sweep_table.advice(found)
    said = sweep_table.without_colours(sweep_table.text(found)).removesuffix(advice).rstrip()
    return lines([*_advice_lines(advice, width), EMPTY, *_table_lines(said)])


def _advice_lines(advice: str, width: int) -> Iterator[StyledText]:
    """The headline in colour; the prediction, which nobody measured, paler than that."""
    style = ""
    for number, line in enumerate(advice.splitlines()):
        style = "$quiet" if line.startswith("prediction") else style
        filled = textwrap.fill(line, min(width, experiment_report.WIDTH), break_on_hyphens=False)
        yield StyledText.of(filled, style if number else "bold $success")


def table_so_far(found: Sweep, width: int) -> StyledText:
    """The columns of the batch sizes measured so far, while others are still being measured."""
    note = (
        "the time to a loss is that to a loss which all of these reached; "
        "it may change as more follow"
    )
    failed = [StyledText.of(text, "$error") for text in sweep_table.missing(found)]
    if not found.rows:
        return lines(failed)
    return lines([*_table_lines(sweep_table.table(found)), EMPTY, *failed, _note(note, width)])


def _note(said: str, width: int) -> StyledText:
    """A note wrapped into lines, since text beside a table is not wrapped."""
    return StyledText.of(textwrap.fill(said, min(width, experiment_report.WIDTH)), "$quiet")


def _table_lines(said: str) -> list[StyledText]:
    return [StyledText.of(line, _table_style(line)) for line in said.splitlines()]


def _table_style(line: str) -> str:
    if line.startswith("batch size "):
        return "bold"
    return "$quiet" if line.startswith("  in the lesson") else ""
