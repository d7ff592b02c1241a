"""`gdtui experiment`: runs one in a separate process, shows its progress, prints its report.

Decides nothing and measures nothing: engine.experiments does.
"""

from functools import partial
from typing import TYPE_CHECKING, Final

import click

from engine.experiments.registry import DEFAULT_SEEDS, LEAST_SEEDS, LISTINGS, find
from engine.settings import SettingsError
from gdtui.cli.command import Argument, Flag, GdtuiCommand, Option, in_group, one_line
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import words
from gdtui.cli.options.quiet import quiet_flag
from gdtui.cli.options.run import THREADS, device_option
from gdtui.cli.streams import print_error, print_json, print_text
from gdtui.cli.value_types import whole
from gdtui.view.text.reports.align import align_columns

if TYPE_CHECKING:
    from engine.experiments.job import ExperimentTask
    from engine.jobs.messages import Failure

_MOST_SEEDS: Final = 1000

_EXAMPLES: Final = """\
examples:
  gdtui experiment                              list the experiments
  gdtui experiment saddle
  gdtui experiment linear-scaling --seeds 60
  gdtui experiment sharp-minimum --json | jq .verdict

exit status: 0 complete, whatever the verdict, 1 failed, or a part of it did, 2 usage error,
130 Ctrl+C"""


def experiment(
    ctx: click.Context,
    name: str | None,
    seeds: int,
    device: str,
    threads: int | None,
    json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    """Test one claim of the lesson; without NAME, list the experiments.

    Repeats a training over many seeds with one thing varied, and reports 95% intervals and a
    verdict: supported, not supported, or undecided.
    """
    if name is None:
        return _list(as_json=json)
    try:
        name = find(name).name
    except SettingsError as error:
        ctx.fail(str(error))

    from engine.experiments.job import ExperimentTask
    from engine.jobs.cores import fair_threads, usable_cores

    task = ExperimentTask(
        name=name,
        seeds=tuple(range(seeds)),
        device=device,
        threads=threads or fair_threads(usable_cores(), 1),
    )
    return _experiment(task, as_json=json, is_quiet=quiet, debug=debug)


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


def _experiment(task: "ExperimentTask", *, as_json: bool, is_quiet: bool, debug: bool) -> int:
    """Run one to its end and print its findings; returns the exit status."""
    from engine.experiments.job import run_experiment
    from engine.jobs.messages import Failure
    from engine.jobs.process_job import ProcessJob
    from gdtui.cli.commands.progress_report import progress_report
    from gdtui.view.text.progress.job import JobProgress
    from gdtui.view.text.reports.experiment_report import text

    so_far = JobProgress()
    with (
        ProcessJob(
            partial(run_experiment, task), task.name, subject="the process that runs it"
        ) as job,
        progress_report("experiment", is_quiet=is_quiet) as report,
    ):
        end = job.wait(lambda now: report.show(so_far.tell(now.fraction, now.activity)))
    if isinstance(end, Failure):
        return _explain(end, debug=debug)
    if as_json:
        print_json(end.value)
    else:
        print_text(text(end.value))
    for failed in end.value.failed:
        print_error(f"gdtui experiment: {one_line(str(failed))}")
    return ExitCode.FAILED if end.value.failed else ExitCode.OK


def _explain(failure: "Failure", *, debug: bool) -> int:
    if debug and failure.traceback:
        print_error(failure.traceback.rstrip())
    if failure.is_usage_error:
        raise click.UsageError(failure.detail)
    print_error(f"gdtui experiment: {one_line(failure.detail)}")
    return ExitCode.FAILED


_NAMES: Final = [listing.name for listing in LISTINGS]

command = GdtuiCommand(
    experiment,
    "gdtui experiment [NAME] [--seeds N] [--json] [OPTIONS]",
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
                type=whole(LEAST_SEEDS, _MOST_SEEDS),
                default=str(DEFAULT_SEEDS),
            ),
            device_option("auto, cpu, cuda, cuda:N, mps; the CPU if a device has no float64"),
            Option("--threads", "N", "CPU threads", type=THREADS, shown="all but one"),
        ),
        Flag("--json", "one JSON document on stdout, no report"),
        quiet_flag(),
        Flag("--debug", "show the traceback of an error"),
    ],
)
