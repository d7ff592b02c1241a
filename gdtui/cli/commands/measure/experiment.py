"""`gdtui experiment`: runs one in a separate process, shows its progress, prints its report.

Decides nothing and measures nothing: engine.experiments does.
"""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from engine.experiments.registry import DEFAULT_SEEDS, LEAST_SEEDS, LISTINGS, MOST_SEEDS
from engine.settings import SettingsError
from gdtui.cli.command import FILE, Argument, Flag, GdtuiCommand, Option, in_group, one_line
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import words
from gdtui.cli.options.quiet import detach_flag, quiet_flag
from gdtui.cli.options.run import THREADS, device_option
from gdtui.cli.streams import print_error, print_json, print_text
from gdtui.cli.value_types import whole
from gdtui.view.text.reports.align import align_columns

if TYPE_CHECKING:
    from engine.experiments.directory import ExperimentDirectory
    from engine.experiments.report import Report

_EXAMPLES: Final = """\
examples:
  gdtui experiment                              list the experiments
  gdtui experiment saddle
  gdtui experiment linear-scaling --seeds 60
  gdtui experiment sharp-minimum --json | jq .verdict
  gdtui experiment flat-generalises --seeds 200 --detach --run-dir ./flat
  gdtui experiment --run-dir ./flat             its report; arms it still lacks are trained first

exit status: 0 complete, whatever the verdict, 1 failed, or a part of it did, 2 usage error,
130 Ctrl+C, 143 gdtui stop"""


def experiment(
    ctx: click.Context,
    name: str | None,
    run_dir: Path | None,
    detach: bool,
    json: bool,
    quiet: bool,
    debug: bool,
    **_: Any,
) -> int:
    """Test one claim of the lesson; without NAME, list the experiments.

    Repeats a training over many seeds with one thing varied, and reports 95% intervals and a
    verdict: supported, not supported, or undecided.

    An experiment goes on when its terminal is lost; gdtui stop ends it. The same command with its
    directory as --run-dir, or that option alone, goes on with it: arms that are done are kept.
    """
    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.train import detached

    if name is None and run_dir is None:
        return _list(as_json=json)
    if detach and not detached.is_host():
        return detached.start(sys.argv[1:])

    from gdtui.cli.commands.measure.experiment_plan import prepare_experiment

    try:
        directory = prepare_experiment(ctx)
        return _experiment(directory, as_json=json, is_quiet=quiet, debug=debug)
    except (RunDirectoryError, SettingsError) as error:
        ctx.fail(str(error))


def _list(*, as_json: bool) -> int:
    """Print the available experiments."""
    if as_json:
        print_json(LISTINGS)
        return ExitCode.OK
    rows = [(each.name, each.claim) for each in LISTINGS]
    head = ("experiment", "the claim of the lesson under test")
    print_text(align_columns([head, *rows], left={0, 1}))
    print_text("\nRun one with: gdtui experiment NAME")
    return ExitCode.OK


def _experiment(
    directory: "ExperimentDirectory", *, as_json: bool, is_quiet: bool, debug: bool
) -> int:
    """Run one to its end and print its findings; returns the exit status."""
    from engine.experiments.job import run_experiment
    from engine.jobs import process_job
    from gdtui.cli.commands.measure.experiment_plan import work_of
    from gdtui.cli.commands.measure.hosted_job import (
        JobFailedError,
        JobStoppedError,
        explain,
        run_hosted,
        tell_unfinished,
        wait_for_host,
    )
    from gdtui.view.text.reports.experiment_report import text

    if wait_for_host(directory.path, "experiment") and not directory.reread().verdict:
        return tell_unfinished(directory.path, "experiment")
    work, subject = partial(run_experiment, directory.task), "the process that runs it"
    start = partial(process_job.ProcessJob, work, directory.info.name, subject=subject)
    try:
        with directory:
            found: Report = run_hosted(start, work_of(directory), "experiment", is_quiet=is_quiet)
            directory.complete(str(found.verdict))
    except JobStoppedError as end:
        return end.status
    except JobFailedError as error:
        return explain(error.failure, "experiment", debug=debug)
    if as_json:
        print_json(found)
    else:
        print_text(text(found))
    for failed in found.failed:
        print_error(f"gdtui experiment: {one_line(str(failed))}")
    return ExitCode.FAILED if found.failed else ExitCode.OK


_NAMES: Final = [listing.name for listing in LISTINGS]

command = GdtuiCommand(
    experiment,
    "gdtui experiment [NAME] [--seeds N] [--json] [--detach] [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "experiment",
            Argument(
                "name", "NAME", ", ".join(_NAMES), required=False, shell_complete=words(_NAMES)
            ),
            Option(
                "--seeds",
                "N",
                "repetitions, each with its own data, weights and order",
                type=whole(LEAST_SEEDS, MOST_SEEDS),
                default=str(DEFAULT_SEEDS),
            ),
            device_option("auto, cpu, cuda, cuda:N, mps; the CPU if a device has no float64"),
            Option("--threads", "N", "CPU threads", type=THREADS, shown="all but one"),
            Option(
                "--run-dir",
                "DIR",
                "directory of its results",
                type=FILE,
                shown="a new one; see gdtui runs",
            ),
        ),
        Flag("--json", "one JSON document on stdout, no report"),
        quiet_flag(),
        detach_flag("experiment"),
        Flag("--debug", "show the traceback of an error"),
    ],
)
