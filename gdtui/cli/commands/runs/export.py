"""`gdtui export`: writes the batches or the measurements of a run as CSV."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.filesystem.places import find_run
from gdtui.cli.command import FILE, Argument, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.streams import print_error

if TYPE_CHECKING:
    import click

_EXAMPLES: Final = """\
examples:
  gdtui export ./my-run -o losses.csv
  gdtui export ./my-run | head

exit status: 0 all rows written, 1 a log is damaged or ends early (its rows so far are written)"""


def export(
    ctx: "click.Context",
    run_dir: Path,
    measurements: bool,
    safe_for_spreadsheets: bool,
    output: Path | None,
) -> int:
    """Write a run as CSV, one row per batch.

    variant,generation,batch,update,epoch,samples,seconds,batch_size,accumulation_steps,lr,loss

    samples and seconds are counted before the batch, since its loss is that of the model at that
    point. update is the update that the batch contributes to, batch_size the number of samples in
    it, lr the learning rate in force.

    With --measurements, write the measurements on all data and on held-out data instead.

    variant,generation,epoch,batches,updates,samples,seconds,full_loss,validation_loss, and the
    metrics.
    """
    from engine.log.directory import RunDirectory, RunDirectoryError
    from gdtui.export import csv_export

    try:
        run = RunDirectory.open(run_dir)
        file = csv_export.open_output(run, output)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    write = csv_export.export_measurements if measurements else csv_export.export
    status = ExitCode.OK
    with file:
        for trouble in write(run, file, for_spreadsheets=safe_for_spreadsheets):
            print_error(f"{ctx.command_path}: {trouble}")
            status = ExitCode.FAILED
    return status


command = GdtuiCommand(
    export,
    "gdtui export RUN_DIR [--measurements] [--safe-for-spreadsheets] [-o FILE]",
    _EXAMPLES,
    in_group(
        "input and output",
        Argument(
            "run_dir",
            "RUN_DIR",
            STORED_RUN,
            type=find_run,
            shell_complete=stored_runs,
        ),
        Flag("--measurements", "write the measurements on all data, not the batches"),
        Flag(
            "--safe-for-spreadsheets",
            "begin names that would be formulas with an apostrophe; import keeps it",
        ),
        Option("-o --output", "FILE", "the file to write", type=FILE, shown="stdout"),
    ),
)
