"""`gdtui runs`: lists the stored runs; prune.py removes those that have ended."""

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.filesystem.places import known_roots
from gdtui.cli.command import Flag, GdtuiCommand, Option, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import is_terminal, print_json, print_text, redraw
from gdtui.cli.value_types import duration, size, whole

if TYPE_CHECKING:
    import click

    from gdtui.state.runs.listing import ListedRun

_REFRESH: Final = 2.0
"""Seconds between two redraws of the list."""
_OTHER_LINES: Final = 7
"""Lines of the screen around the runs: heading, notes, the cursor."""

_EXAMPLES: Final = """\
examples:
  gdtui runs
  gdtui runs --watch                             which train, where, and who looks on
  gdtui runs --prune                             all that have ended; asks first
  gdtui runs --prune --older-than 30d --keep 5   old ones, but never the newest five
  gdtui runs --prune --larger-than 1G --yes      for scripts"""


def runs(
    ctx: "click.Context",
    prune: bool,
    older_than: float | None,
    larger_than: int | None,
    keep: int | None,
    yes: bool,
    watch: bool,
    json: bool,
) -> int:
    """List the stored runs with state, progress, result and host, newest first; remove ended ones.

    A sweep, with all its arms, is one entry. The result is the lowest loss of a variant on all
    data, the verdict of an experiment, or the last loss of a script or of a program of gdtui run; a
    program also has an exit status. A terminal that is too narrow for all columns shows the most
    important ones. --prune removes the ended runs that meet every condition given; without a
    condition, all of them. A run that is still training is never removed.
    """
    needing = {"--older-than": older_than, "--larger-than": larger_than, "--keep": keep}
    for option, value in {**needing, "--yes": yes or None}.items():
        if value is not None and not prune:
            ctx.fail(f"{option} requires --prune")
    if watch and (prune or json):
        ctx.fail("--watch shows the list alone: omit --prune and --json")
    if watch:
        return watch_list(*known_roots())
    if not prune:
        return show(*known_roots(), as_json=json)

    from gdtui.cli.commands.runs.prune import prune_runs
    from gdtui.state.runs.retention import RetentionTerms

    terms = RetentionTerms(older_than=older_than, larger_than=larger_than, keep=keep or 0)
    return prune_runs(ctx, known_roots(), terms, is_sure=yes, as_json=json)


def show(*roots: Path, as_json: bool) -> int:
    """Print the runs below these folders; returns the exit status."""
    from gdtui.state.runs.listing import RunList, document

    runs = RunList(*roots).read()
    if as_json:
        print_json({"root": str(roots[0]), "runs": [document(run) for run in runs]})
    else:
        print_text(_text(runs, roots))
    return ExitCode.OK


def watch_list(*roots: Path) -> int:
    """Redraw the list of runs until Ctrl+C; returns the exit status."""
    from gdtui.state.runs.listing import RunList

    runs = RunList(*roots)
    while True:
        redraw(_on_screen(runs.read(), roots))
        time.sleep(_REFRESH)


def _on_screen(runs: "Sequence[ListedRun]", roots: Sequence[Path]) -> str:
    """As many runs, the newest first, as the terminal has lines for."""
    fitting = max(shutil.get_terminal_size().lines - _OTHER_LINES, 1)
    if not is_terminal(sys.stdout) or len(runs) <= fitting:
        return _text(runs, roots)
    return f"{_text(runs[:fitting], roots)}, and {len(runs) - fitting} older ones"


def _text(runs: "Sequence[ListedRun]", roots: Sequence[Path]) -> str:
    from gdtui.view.text.reports.runs_table import list_table

    places = " and ".join(map(str, roots))
    if not runs:
        return f"no runs in {places}"
    if not is_terminal(sys.stdout):
        return list_table(runs)
    return f"{list_table(runs, shutil.get_terminal_size().columns)}\n\nruns in {places}"


command = GdtuiCommand(
    runs,
    "gdtui runs [--watch | --json | --prune [--older-than TIME] [--larger-than SIZE] [--keep N] "
    "[--yes]]",
    _EXAMPLES,
    [
        *in_group(
            "removal",
            Flag("--prune", "remove runs that have ended; asks first", is_typed=True),
            Option(
                "--older-than",
                "TIME",
                "only runs that began longer ago than this: 45m, 12h, 30d or 2w; a plain number is "
                "seconds",
                type=duration,
                allow_from_autoenv=False,
            ),
            Option(
                "--larger-than",
                "SIZE",
                "only runs larger than this: 500M, 1.5G (powers of 1024), or bytes",
                type=size,
                allow_from_autoenv=False,
            ),
            Option(
                "--keep",
                "N",
                "keep the newest N, whatever the other conditions",
                type=whole(0),
                allow_from_autoenv=False,
            ),
            Flag("--yes", "don't ask", is_typed=True),
        ),
        Flag("--watch", "redraw the list every few seconds, until Ctrl+C", is_typed=True),
        Flag("--json", "one JSON document on stdout, no table"),
    ],
)
