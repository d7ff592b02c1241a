"""The output of `gdtui train`: bars on stderr while it trains, a table on stdout at its end."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from engine.log.directory import RunDirectory
from engine.log.summary import Tally
from gdtui.view.text.reports.align import align_columns
from gdtui.view.text.reports.train_table import RunSummary, summarize


@contextmanager
def progress(tallies: Sequence[Tally], epochs: int) -> Iterator[Callable[[], None]]:
    """A bar a variant, in epochs, while the block runs: call what is yielded to bring them up to
    date.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs  {task.fields[loss]}", markup=False),
        console=Console(stderr=True),
        redirect_stdout=False,
    )
    tasks = [bars.add_task(tally.name, total=epochs, loss=str(tally.state)) for tally in tallies]

    def show() -> None:
        for task, tally in zip(tasks, tallies, strict=True):
            loss = f"loss {tally.final_loss:.4f}" if tally.epoch_losses else str(tally.state)
            bars.update(task, completed=len(tally.epoch_losses), loss=loss)

    with bars:
        yield show
        show()


def table(run: RunDirectory, tallies: Sequence[Tally]) -> None:
    """Print the results of a run on stdout."""
    summary = summarize(run, tallies)
    print(f"{summary.title}\n")
    if sys.stdout.isatty():
        _print_rich(summary)
    else:
        print(align_columns([summary.headings, *summary.rows], summary.words))
    print(f"\n{summary.legend}")


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
