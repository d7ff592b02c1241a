"""`gdtui sweep`: measures the trade-off table, shows its progress, prints it as requested."""

import os
import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from engine.sweep.defaults import BATCH_SIZES, EPOCHS
from gdtui.cli.command import Flag, GdtuiCommand, Option, in_group, one_line
from gdtui.cli.config.origins import is_typed
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.quiet import detach_flag, quiet_flag
from gdtui.cli.options.run import comma_separated, run_options
from gdtui.cli.options.screen import screen_options
from gdtui.cli.streams import print_error
from gdtui.cli.value_types import above_zero

if TYPE_CHECKING:
    from engine.sweep.table import Sweep
    from gdtui.cli.commands.measure.sweep_plan import PreparedSweep

_FORMS: Final = {"json": "one JSON document", "markdown": "a Markdown table", "csv": "CSV"}
_EXAMPLES: Final = """\
examples:
  gdtui sweep
  gdtui sweep --problem digits --batch-sizes 8,64,512,full --epochs 10
  gdtui sweep --lr-scaling linear --memory-limit 2000
  gdtui sweep --markdown > trade-offs.md
  gdtui sweep --detach --run-dir ./sizes    measure on after the terminal is closed
  gdtui sweep --run-dir ./sizes             its table; what it still lacks is trained first

exit status: 0 table complete, 1 an arm failed, 2 usage error, 130 Ctrl+C, 143 gdtui stop"""


def sweep(ctx: click.Context, detach: bool, **values: Any) -> int:
    """Measure the lesson's trade-off table on your problem and device.

    The batch sizes run one after the other, each alone on the machine. For each, the table gives
    gradient noise, speed, memory, the loss after equal epochs and after equal seconds, and the
    validation gap, alongside what the lesson says. It ends with the batch size, lr and
    accumulation (for your memory) that did best in equal time at the lr tried, then with those that
    theory predicts once the lr is tuned. The sweep is kept as one entry of gdtui runs; gdtui watch
    overlays its arms, each a run.

    A sweep goes on when its terminal is lost; gdtui stop ends it. The same command with its
    directory as --run-dir, or gdtui resume, goes on with it: arms that were trained to their end
    are kept, one that was cut short goes on from its last checkpoint.
    """
    from gdtui.cli.commands.train import detached

    if detach and not detached.is_host():
        return detached.start(sys.argv[1:])
    forms = [form for form in _FORMS if values[form]] or ["text"]
    form = next((each for each in forms if is_typed(ctx, each)), forms[0])

    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.measure.sweep_plan import prepare_sweep

    try:
        with prepare_sweep(ctx) as plan:
            return _sweep(plan, form, is_quiet=values["quiet"], debug=values["debug"])
    except RunDirectoryError as error:
        ctx.fail(str(error))


def _sweep(prepared: "PreparedSweep", form: str, *, is_quiet: bool, debug: bool) -> int:
    """Measure and print; returns the exit status."""
    from engine.jobs.thread_job import ThreadJob
    from engine.sweep.run import measure
    from gdtui.cli.commands.measure.hosted_job import (
        JobFailedError,
        JobStoppedError,
        explain,
        run_hosted,
        tell_unfinished,
        wait_for_host,
    )

    plan, directory = prepared.plan, prepared.directory
    if wait_for_host(directory.path, "sweep") and not directory.reread().is_complete:
        return tell_unfinished(directory.path, "sweep")
    try:
        with directory:
            start = partial(ThreadJob, partial(measure, plan, directory), "sweep")
            found: Sweep = run_hosted(start, prepared.work, "sweep", is_quiet=is_quiet)
    except JobStoppedError as end:
        return end.status
    except JobFailedError as error:
        return explain(error.failure, "sweep", debug=debug)
    _print(found, form, debug=debug)
    return ExitCode.FAILED if found.failed else ExitCode.OK


def _print(found: "Sweep", form: str, *, debug: bool) -> None:
    from gdtui.view.text.reports.sweep_table import FORMS, without_colours

    if found.rows or form == "json":
        shown = found if debug else found.without_tracebacks()
        said = FORMS[form](shown)
        has_colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(said if has_colours else without_colours(said))
    for line in _problems(found):
        print_error(f"gdtui sweep: {one_line(line)}")
    if debug:
        for text in dict.fromkeys(arm.traceback for arm in found.failed if arm.traceback):
            print_error(text.rstrip())


def _problems(found: "Sweep") -> Iterator[str]:
    """Lines about everything that could not be measured, with the reasons."""
    from gdtui.view.text.reports.failures import failure_lines, output_line

    yield from found.notes
    yield from failure_lines((arm.name, arm.reason) for arm in found.failed)
    yield from (output_line(arm.name, arm.output) for arm in found.failed if arm.output)


command = GdtuiCommand(
    sweep,
    "gdtui sweep [OPTIONS] [--memory-limit MB] [--json | --markdown | --csv] [--detach]",
    _EXAMPLES,
    [
        *run_options(
            batch_sizes=comma_separated(BATCH_SIZES), epochs=str(EPOCHS), accumulation="1"
        ),
        *screen_options(hidden=True),
        *in_group(
            "recommendation and output",
            Option(
                "--memory-limit",
                "MB",
                "limit for tensors on the device; batches beyond it are accumulated",
                type=above_zero("megabytes, a number above 0"),
            ),
        ),
        *(Flag(f"--{form}", f"{text} on stdout") for form, text in _FORMS.items()),
        quiet_flag(),
        detach_flag("sweep"),
    ],
)
