"""`gdtui runs`: lists the stored runs, or removes those that have ended."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.log.filesystem.places import known_roots
from gdtui.cli.command import Flag, GdtuiCommand
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import is_terminal
from gdtui.view.text.formatting import readable_size
from gdtui.view.text.reports.align import align_columns

if TYPE_CHECKING:
    import click

    from gdtui.state.stored_runs import StoredRun

_EXAMPLES: Final = """\
examples:
  gdtui runs
  gdtui runs --prune          asks first; keeps runs that are still training
  gdtui runs --prune --yes    for scripts"""


def runs(ctx: "click.Context", prune: bool, yes: bool, json: bool) -> int:
    """List the stored runs with size and state, newest first, or remove those that have ended."""
    if yes and not prune:
        ctx.fail("--yes requires --prune")
    if prune and not yes and not is_terminal(sys.stdin):
        ctx.fail(
            "--prune asks for confirmation, which needs a terminal; without one, use --prune --yes"
        )
    if prune:
        return remove_ended(*known_roots(), is_sure=yes)
    return show(*known_roots(), as_json=json)


def show(*roots: Path, as_json: bool) -> int:
    """Print the runs below these folders; returns the exit status."""
    runs = _runs_below(roots)
    if as_json:
        document = msgspec.json.encode({"root": str(roots[0]), "runs": runs})
        sys.stdout.buffer.write(document + b"\n")
    elif runs:
        rows = [("date", "problem", "variants", "size", "state", "directory"), *map(_row, runs)]
        print(align_columns(rows, left={0, 1, 2, 4, 5}))
    else:
        print(f"no runs in {_named(roots)}")
    return ExitCode.OK


def remove_ended(*roots: Path, is_sure: bool) -> int:
    """Remove the runs below these folders that have ended, once that is confirmed.

    Returns the exit status.
    """
    from gdtui.state.stored_runs import has_ended, remove

    runs = [run for run in _runs_below(roots) if not run.state.is_kept]
    if not runs:
        print(f"nothing to remove in {_named(roots)}")
        return ExitCode.OK
    what = f"{_count(runs)}, {readable_size(sum(run.bytes for run in runs))}, in {_named(roots)}"
    if not is_sure and not _confirmed(f"Remove {what}? [y/N] "):
        print("nothing was removed")
        return ExitCode.OK
    removed, kept = [], []
    for run in runs:
        try:
            if has_ended(run.path):
                remove(run.path)
                removed.append(run)
        except OSError as error:
            kept.append(f"{run.path}: {error.strerror}")
    print(f"removed {_count(removed)}, {readable_size(sum(run.bytes for run in removed))}")
    for line in kept:
        print(f"gdtui runs: cannot remove {line}", file=sys.stderr)
    return ExitCode.FAILED if kept else ExitCode.OK


def _runs_below(roots: Iterable[Path]) -> "list[StoredRun]":
    """The runs below these folders, the newest first."""
    from gdtui.state.stored_runs import stored_runs

    runs = [run for root in roots for run in stored_runs(root)]
    return sorted(runs, key=lambda run: run.created, reverse=True)


def _named(roots: Iterable[Path]) -> str:
    return " and ".join(map(str, roots))


def _row(run: "StoredRun") -> tuple[str, ...]:
    return (
        time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created)),
        run.problem,
        ", ".join(run.variants) or "–",
        readable_size(run.bytes),
        str(run.state),
        str(run.path),
    )


def _count(runs: "list[StoredRun]") -> str:
    return "1 run" if len(runs) == 1 else f"{len(runs)} runs"


def _confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


command = GdtuiCommand(
    runs,
    "gdtui runs [--prune [--yes]] [--json]",
    _EXAMPLES,
    [
        Flag("--prune", "remove the runs that have ended; asks first", is_typed=True),
        Flag("--yes", "with --prune: don't ask", is_typed=True),
        Flag("--json", "one JSON document on stdout, no table"),
    ],
)
