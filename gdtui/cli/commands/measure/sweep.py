"""`gdtui sweep`: measures the trade-off table, shows its progress, prints it in the form asked for."""

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from engine.settings import FULL
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.run import add_run_options, add_screen_options
from gdtui.cli.parser import Parser
from gdtui.cli.value_types import megabytes

if TYPE_CHECKING:
    from engine.sweep.run import Plan

_ABOUT: Final = """\
Measure the lesson's trade-off table on your problem and device: one batch size after the other,
each alone on the machine. For each it measures gradient noise, speed, memory, the loss after equal
epochs and after equal seconds, and the validation gap, next to the lesson's words. Then it
recommends a batch size, an lr (by the rule) and an accumulation for your memory. Every arm is kept
as a run (see gdtui runs)."""

_EXAMPLES: Final = """\
examples:
  gdtui sweep
  gdtui sweep --problem digits --batch-sizes 8,64,512,full --epochs 10
  gdtui sweep --lr-scaling linear --memory-limit 2000
  gdtui sweep --markdown > trade-offs.md

exit status: 0 table complete, 1 an arm failed, 2 usage error, 130 Ctrl+C"""


def run(arguments: list[str]) -> int:
    """Measure and print; returns the exit status."""
    parser = sweep_parser()
    typed = parser.parse(arguments)
    below, typed.run_dir = typed.run_dir, None

    from engine.log.directory import RunDirectoryError
    from engine.sweep.run import Plan
    from gdtui.cli.prepare import prepare_run
    from gdtui.state.new_run import new_arm
    from gdtui.state.stored_runs import remove

    try:
        chosen, loaded_in = prepare_run(parser, typed, None)
        remove(loaded_in)  # each arm has a directory of its own, and loads there
        for note in chosen.notes:
            print(f"{parser.prog}: {note}", file=sys.stderr)
        return _sweep(
            Plan(chosen.settings, typed.memory_limit, partial(new_arm, below)), typed.form
        )
    except RunDirectoryError as error:
        parser.error(str(error))


def _sweep(plan: "Plan", form: str) -> int:
    """Measure and print; returns the exit status."""
    from engine.sweep.run import SweepError, sweep
    from gdtui.cli.commands.measure.progress_bar import bar
    from gdtui.view.text.reports.sweep_table import FORMS, without_colours

    try:
        with bar("sweep") as show:
            found = sweep(plan, show, lambda table: None)
    except SweepError as error:
        if error.traceback:
            print(error.traceback.rstrip(), file=sys.stderr)
        print(f"gdtui sweep: {' '.join(str(error).split())}", file=sys.stderr)
        return ExitCode.USAGE_ERROR if error.is_usage_error else ExitCode.FAILED
    said = FORMS[form](found)
    print(said if sys.stdout.isatty() and "NO_COLOR" not in os.environ else without_colours(said))
    return ExitCode.OK


_DEFAULTS: Final = {"--batch-sizes": "1,32,128,512,full", "--epochs": "5", "--pace": "free"}
"""A sweep's own defaults, as its help shows them."""


def sweep_parser() -> Parser:
    """`gdtui sweep`"""
    parser = Parser(
        prog="gdtui sweep",
        usage="gdtui sweep [OPTIONS] [--memory-limit MB] [--json | --markdown | --csv]",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    add_run_options(parser, defaults=_DEFAULTS)
    add_screen_options(parser, is_hidden=True)
    parser.set_defaults(
        batch_sizes=(1, 32, 128, 512, FULL), accumulation=(1,), epochs=5, form="text"
    )
    parser.add_argument_group("recommendation and output").add_argument(
        "--memory-limit", type=megabytes, metavar="MB",
        help="limit for tensors on the device; batches beyond it are accumulated",
    )  # fmt: skip
    general = parser.add_general()
    for form, text in (
        ("json", "one JSON document"),
        ("markdown", "a Markdown table"),
        ("csv", "CSV"),
    ):
        general.add_argument(
            f"--{form}", dest="form", action="store_const", const=form, help=f"{text} on stdout"
        )
    return parser
