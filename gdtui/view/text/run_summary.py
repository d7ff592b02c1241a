"""What `gdtui train` shows: bars on stderr while it trains, a table on stdout at its end.

Rounded for reading; the figures themselves come from engine.log.json_report.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from engine.log.directory import RunDirectory
from engine.log.json_report import VariantReport, report
from engine.log.summary import Tally

_WORDS: Final = frozenset(("variant", "state"))
"""The headings of columns of words; the others are of figures."""


@contextmanager
def progress(tallies: Sequence[Tally], epochs: int) -> Iterator[Callable[[], None]]:
    """A bar a variant, in epochs, while the block runs: call what is yielded to bring them up to date."""
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
    """Print what a run came to, on stdout."""
    document = report(run, tallies)
    metrics = list(dict.fromkeys(name for each in document.variants for name in each.validation or ()))
    heads = _headings(metrics)
    rows = [_row(variant, tally, metrics) for variant, tally in zip(document.variants, tallies, strict=True)]
    print(f"{run.info.settings.title} · {document.device} · seed {document.seed} · {document.run_dir}\n")
    if sys.stdout.isatty():
        _print_rich(heads, rows)
    else:
        left = frozenset(column for column, heading in enumerate(heads) if heading in _WORDS)
        print(plain_table([heads, *rows], left))
    print(
        "\nfinal loss: mean of the batch losses of the last epoch; std and variance: of the epochs' means;\n"
        "full loss: on all training data, after the last epoch: the one to compare by"
    )
    if metrics:
        print("validation: on held-out data, then, too; gap: validation loss minus full loss")


def _headings(metrics: Sequence[str]) -> tuple[str, ...]:
    """The columns' names; those of validation only where there is some."""
    held_out = [f"validation {name}" for name in metrics] + ["gap"] if metrics else []
    learnt = ("variant", "batch", "lr", "updates", "final loss", "std", "variance", "full loss")
    return (*learnt, *held_out, "seconds", "state")


def plain_table(rows: Sequence[Sequence[str]], left: frozenset[int] | set[int]) -> str:
    """Rows as aligned text: words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _print_rich(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        shown.add_column(heading, justify="left" if heading in _WORDS else "right")
    for row in rows:
        shown.add_row(*map(Text, row))
    Console().print(shown)


def _row(variant: VariantReport, tally: Tally, metrics: Sequence[str]) -> tuple[str, ...]:
    batch = "–" if variant.batch_size is None else f"{variant.batch_size:,}"
    if variant.accumulation_steps > 1:
        batch += f" ×{variant.accumulation_steps}"
    elif tally.resolved is not None and tally.resolved.is_full:
        batch = "full"
    measured = variant.validation or {}
    held_out = [*(measured.get(name) for name in metrics), variant.generalisation_gap] if metrics else []
    return (
        variant.name,
        batch,
        "–" if variant.lr is None else f"{variant.lr:.4g}",
        f"{variant.updates:,}",
        *map(_figure, (variant.final_loss, variant.std, variant.variance, variant.full_loss, *held_out)),
        f"{variant.seconds:.2f}",
        str(variant.state),
    )


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.2e}"
