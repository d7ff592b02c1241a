"""The progress of a long command: a bar on stderr, where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(name: str) -> Iterator[Callable[[float, str], None]]:
    """A bar while the block runs.

    What is yielded takes the share that is done and what is being done.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda share, what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[what]}", markup=False),
        console=Console(stderr=True),
        redirect_stdout=False,
        transient=True,
    )
    task = bars.add_task(name, total=1.0, what="starting")
    with bars:
        yield lambda share, what: bars.update(task, completed=share, what=what)
