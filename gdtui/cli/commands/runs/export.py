"""`gdtui export`: the batches or the measurements of a run as CSV."""

import sys
from pathlib import Path
from typing import Final

from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.parser import Parser

_ABOUT: Final = """\
Write a run as CSV, one row per batch:
variant,generation,batch,update,epoch,samples,seconds,batch_size,accumulation_steps,lr,loss

samples and seconds are counted before the batch, since its loss is that of the model at that point.
update is the one that the batch contributes to, batch_size the samples in it, lr the one in force.

With --measurements, write the measurements on all data and on held-out data instead:
variant,generation,epoch,batches,updates,samples,seconds,full_loss,validation_loss, and the metrics."""

_EXAMPLES: Final = """\
examples:
  gdtui export ./my-run -o losses.csv
  gdtui export ./my-run | head

exit status: 0 all rows written, 1 a log is damaged or ends early (its rows so far are written)"""


def run(arguments: list[str]) -> int:
    """Write the CSV; returns the exit status."""
    parser = export_parser()
    typed = parser.parse(arguments)

    from engine.log.directory import RunDirectory, RunDirectoryError
    from gdtui.export.csv_export import export, export_measurements, open_output

    try:
        directory = RunDirectory.open(typed.run_dir)
        output = open_output(directory, typed.output)
    except RunDirectoryError as error:
        parser.error(str(error))
    status = ExitCode.OK
    with output:
        for trouble in (export_measurements if typed.measurements else export)(directory, output):
            print(f"{parser.prog}: {trouble}", file=sys.stderr)
            status = ExitCode.FAILED
    return status


def export_parser() -> Parser:
    """`gdtui export`"""
    parser = Parser(
        prog="gdtui export",
        usage="gdtui export RUN_DIR [--measurements] [-o FILE]",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    add = parser.add_argument_group("input and output").add_argument
    add("run_dir", type=Path, metavar="RUN_DIR", help="a run's directory, as gdtui runs lists them")
    add(
        "--measurements",
        action="store_true",
        help="write the measurements on all data, not the batches",
    )
    add("-o", "--output", type=Path, metavar="FILE", help="the file to write [stdout]")
    parser.add_general()
    return parser
