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
from gdtui.cli.options.quiet import quiet_flag
from gdtui.cli.options.run import comma_separated, run_options
from gdtui.cli.options.screen import screen_options
from gdtui.cli.streams import print_error
from gdtui.cli.value_types import above_zero

if TYPE_CHECKING:
    from engine.sweep.run import Plan
    from engine.sweep.table import Sweep

_FORMS: Final = {"json": "one JSON document", "markdown": "a Markdown table", "csv": "CSV"}
_EXAMPLES: Final = """\
examples:
  gdtui sweep
  gdtui sweep --problem digits --batch-sizes 8,64,512,full --epochs 10
  gdtui sweep --lr-scaling linear --memory-limit 2000
  gdtui sweep --markdown > trade-offs.md

exit status: 0 table complete, 1 an arm failed, 2 usage error, 130 Ctrl+C"""


def sweep(ctx: click.Context, memory_limit: float | None, quiet: bool, **values: Any) -> int:
    """Measure the lesson's trade-off table on your problem and device.

    The batch sizes run one after the other, each alone on the machine. For each, the table gives
    gradient noise, speed, memory, the loss after equal epochs and after equal seconds, and the
    validation gap, alongside what the lesson says. It ends with the batch size, lr and
    accumulation (for your memory) that did best in equal time at the lr tried, then with those that
    theory predicts once the lr is tuned. The sweep is kept as one entry of gdtui runs; gdtui watch
    overlays its arms, each a run.
    """
    below, ctx.params["run_dir"] = ctx.params["run_dir"], None
    forms = [form for form in _FORMS if values[form]] or ["text"]
    form = next((each for each in forms if is_typed(ctx, each)), forms[0])

    from engine.log.directory import RunDirectoryError
    from engine.sweep.run import Plan
    from gdtui.cli.prepare import prepare_run
    from gdtui.state.runs.new_run import begin_sweep

    try:
        options, place = prepare_run(ctx)
        place.discard()  # each arm has its own directory
        plan = Plan(options.settings, memory_limit, partial(begin_sweep, below), place.handover)
        try:
            return _sweep(plan, form, is_quiet=quiet, debug=values["debug"])
        finally:
            if place.handover is not None:
                place.handover.remove()
    except RunDirectoryError as error:
        ctx.fail(str(error))


def _sweep(plan: "Plan", form: str, *, is_quiet: bool, debug: bool) -> int:
    """Measure and print; returns the exit status."""
    from engine.settings import SettingsError
    from engine.sweep.run import sweep
    from gdtui.cli.commands.progress_report import progress_report
    from gdtui.view.text.progress.job import JobProgress
    from gdtui.view.text.reports.sweep_table import FORMS, without_colours

    try:
        job = JobProgress()
        with progress_report("sweep", is_quiet=is_quiet) as report:
            found = sweep(
                plan, lambda share, activity: report.show(job.tell(share, activity)), lambda _: None
            )
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
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
    return ExitCode.FAILED if found.failed else ExitCode.OK


def _problems(found: "Sweep") -> Iterator[str]:
    """Lines about everything that could not be measured, with the reasons."""
    from gdtui.view.text.reports.failures import failure_lines, output_line

    yield from found.notes
    yield from failure_lines((arm.name, arm.reason) for arm in found.failed)
    yield from (output_line(arm.name, arm.output) for arm in found.failed if arm.output)


command = GdtuiCommand(
    sweep,
    "gdtui sweep [OPTIONS] [--memory-limit MB] [--json | --markdown | --csv]",
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
    ],
)
