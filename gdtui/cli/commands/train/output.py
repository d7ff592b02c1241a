"""The output of `gdtui train`: a table on stdout at its end."""

import sys
from collections.abc import Sequence

from engine.log.directory import RunDirectory
from engine.log.summary import Tally
from gdtui.cli.streams import print_text
from gdtui.view.text.reports.align import align_columns
from gdtui.view.text.reports.train_table import RunSummary, summarize


def table(run: RunDirectory, tallies: Sequence[Tally]) -> None:
    """Print the results of a run on stdout."""
    summary = summarize(run, tallies)
    print_text(f"{summary.title}\n")
    if sys.stdout.isatty():
        _print_rich(summary)
    else:
        print_text(align_columns([summary.headings, *summary.rows], summary.words))
    print_text(f"\n{summary.legend}")


def _print_rich(summary: RunSummary) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column, heading in enumerate(summary.headings):
        shown.add_column(heading, justify="left" if column in summary.words else "right")
    for row in summary.rows:
        shown.add_row(*map(Text, row))
    Console().print(shown)
