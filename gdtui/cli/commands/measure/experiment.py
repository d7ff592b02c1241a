"""`gdtui experiment`: runs one in a process of its own, shows its progress, prints its report.

Decides nothing and measures nothing: engine.experiments does.
"""

import sys
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from engine.experiments.registry import DEFAULT_SEEDS, LEAST_SEEDS, LISTINGS, find
from engine.settings import SettingsError
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.run import MOST_THREADS
from gdtui.cli.parser import Parser
from gdtui.cli.value_types import device, whole
from gdtui.view.text.reports.align import align_columns

if TYPE_CHECKING:
    from engine.experiments.job import ExperimentTask
    from engine.jobs.messages import Failure

_MOST_SEEDS: Final = 1000

_ABOUT: Final = """\
Test one claim of the lesson: the same training with one thing varied, over many seeds, with 95%
intervals and a verdict: supported, not supported, or undecided. Without NAME, list the experiments."""

_EXAMPLES: Final = """\
examples:
  gdtui experiment                              list the experiments
  gdtui experiment saddle
  gdtui experiment linear-scaling --seeds 60
  gdtui experiment sharp-minimum --json | jq .verdict

exit status: 0 completed, whatever the verdict, 1 failed, 2 usage error, 130 Ctrl+C"""


def run(arguments: list[str]) -> int:
    """Run an experiment and print its report, or list what there is; returns the exit status."""
    parser = experiment_parser()
    typed = parser.parse(arguments)
    try:
        name = None if typed.name is None else find(typed.name).name
    except SettingsError as error:
        parser.error(str(error))
    if name is None:
        return _list(as_json=typed.json)

    from engine.experiments.job import ExperimentTask
    from engine.jobs.cores import fair_threads, usable_cores

    threads = typed.threads or fair_threads(usable_cores(), 1)
    task = ExperimentTask(
        name=name, seeds=tuple(range(typed.seeds)), device=typed.device, threads=threads
    )
    return _experiment(task, as_json=typed.json)


def _list(*, as_json: bool) -> int:
    """Print the experiments there are."""
    if as_json:
        print(msgspec.json.encode(LISTINGS).decode())
        return ExitCode.OK
    rows = [(each.name, each.claim) for each in LISTINGS]
    print(align_columns([("experiment", "the claim of the lesson under test"), *rows], left={0, 1}))
    print("\nRun one with: gdtui experiment NAME")
    return ExitCode.OK


def _experiment(task: "ExperimentTask", *, as_json: bool) -> int:
    """Run one to its end and print what it found; returns the exit status."""
    from engine.experiments.job import run_experiment
    from engine.jobs.messages import Failure
    from engine.jobs.process_job import ProcessJob
    from gdtui.cli.commands.measure.progress_bar import bar
    from gdtui.view.text.reports.experiment_report import text

    with ProcessJob(partial(run_experiment, task), task.name) as job, bar(task.name) as show:
        end = job.wait(lambda progress: show(progress.fraction, progress.activity))
    if isinstance(end, Failure):
        return _explain(end)
    print(msgspec.json.encode(end.value).decode() if as_json else text(end.value))
    return ExitCode.OK


def _explain(failure: "Failure") -> int:
    if failure.traceback:
        print(failure.traceback.rstrip(), file=sys.stderr)
    print(f"gdtui experiment: {' '.join(failure.detail.split())}", file=sys.stderr)
    return ExitCode.USAGE_ERROR if failure.is_usage_error else ExitCode.FAILED


# --- The report -----------------------------------------------------------------------------------


def experiment_parser() -> Parser:
    """`gdtui experiment`"""
    parser = Parser(
        prog="gdtui experiment",
        usage="gdtui experiment [NAME] [--seeds N] [--json] [OPTIONS]",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    add = parser.add_argument_group("experiment").add_argument
    names = ", ".join(listing.name for listing in LISTINGS)
    add("name", nargs="?", metavar="NAME", help=names)
    add("--seeds", type=whole(LEAST_SEEDS, _MOST_SEEDS), default=DEFAULT_SEEDS, metavar="N",
        help=f"repetitions, each with its own data, weights and order [{DEFAULT_SEEDS}]")  # fmt: skip
    add("--device", type=device, default="auto", metavar="NAME",
        help="auto, cpu, cuda, cuda:N, mps; the CPU where a device has no float64 [auto]")  # fmt: skip
    add("--threads", type=whole(1, MOST_THREADS), metavar="N", help="CPU threads [all but one]")
    parser.add_general().add_argument(
        "--json", action="store_true", help="one JSON document on stdout, no report"
    )
    return parser
