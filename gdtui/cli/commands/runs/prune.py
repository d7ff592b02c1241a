"""`gdtui runs --prune`: says which runs will be removed, asks, and removes them."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import is_terminal, print_error, print_json, print_text
from gdtui.state.runs.removal import remove_stored
from gdtui.state.runs.retention import RetentionTerms, removable
from gdtui.state.stored_runs import StoredRun, stored_runs
from gdtui.view.text.reports.runs_table import counted, table

if TYPE_CHECKING:
    import click


class PruneFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A run that could not be removed."""

    run_dir: str
    reason: str


class PruneReport(msgspec.Struct, frozen=True, kw_only=True):
    """The document of `gdtui runs --prune --json`."""

    root: str
    selected: Sequence[StoredRun]
    """The runs that meet the conditions."""
    removed: Sequence[StoredRun] = ()
    failed: Sequence[PruneFailure] = ()


def prune_runs(
    ctx: "click.Context",
    roots: Sequence[Path],
    terms: RetentionTerms,
    *,
    is_sure: bool,
    as_json: bool,
) -> int:
    """Remove the runs below these folders that meet the terms, once the user confirms.

    Returns the exit status.
    """
    runs = removable(stored_runs(*roots), terms, time.time())
    where = " and ".join(map(str, roots))
    report = PruneReport(root=str(roots[0]), selected=runs)
    if not runs:
        _say(report, f"nothing to remove in {where}", as_json=as_json)
        return ExitCode.OK
    if not is_sure:
        if not as_json:
            print_text(table(runs))
        if not is_terminal(sys.stdin):
            _refuse(ctx, report, as_json=as_json)
        if not _confirmed(f"Remove {counted(runs)}, in {where}? [y/N] ", as_json=as_json):
            _say(report, "nothing was removed", as_json=as_json)
            return ExitCode.OK
    report = _remove(report)
    _say(report, f"removed {counted(report.removed)}", as_json=as_json)
    for failure in report.failed:
        print_error(f"{ctx.command_path}: cannot remove {failure.run_dir}: {failure.reason}")
    return ExitCode.FAILED if report.failed else ExitCode.OK


def _remove(report: PruneReport) -> PruneReport:
    removed, failed = [], []
    for run in report.selected:
        try:
            if remove_stored(run):
                removed.append(run)
        except OSError as error:
            failed.append(PruneFailure(run_dir=run.run_dir, reason=error.strerror or str(error)))
    return msgspec.structs.replace(report, removed=removed, failed=failed)


def _say(report: PruneReport, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
    else:
        print_text(text)


def _refuse(ctx: "click.Context", report: PruneReport, *, as_json: bool) -> NoReturn:
    """Fail if there is no terminal to ask on; the report says what would have been removed."""
    if as_json:
        _say(report, "", as_json=True)
    sys.stdout.flush()
    ctx.fail(
        "--prune asks for confirmation, which needs a terminal; without one, use --prune --yes"
    )


def _confirmed(question: str, *, as_json: bool) -> bool:
    """Ask; on stderr if stdout is for the document."""
    if as_json:
        print_error(question, end="")
    else:
        print_text(question, end="")
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        (print_error if as_json else print_text)()
        return False
