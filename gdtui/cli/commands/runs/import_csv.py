"""`gdtui import`: turns CSV into a run."""

from pathlib import Path
from typing import Final

import click

from gdtui import __version__
from gdtui.cli.command import FILE, Argument, GdtuiCommand, Option, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import print_error

_EXAMPLES: Final = """\
examples:
  gdtui import losses.csv ./mine && gdtui watch ./mine
  gdtui import log.tsv ./theirs --columns loss=train/nll,update=iter
  gdtui export ./one | gdtui import - ./two

exit status: 0 run written, 2 invalid row or name, nothing written"""


def import_csv(ctx: click.Context, file: str, run_dir: Path, columns: str | None) -> int:
    """Turn a CSV file into a run that can be watched, compared and exported; the inverse of export.

    Only the loss is required (nan or inf leave a gap). Plain names of other programs are known,
    such as train_loss, step, epoch or learning_rate; --columns names any others. Each row is a
    batch; steps that were logged with gaps are kept in update. Epochs and steps may count from 0,
    and seconds from 1970. Columns may be separated by commas, semicolons or tabs. The other columns
    of export are optional, with these defaults:

      variant             the name of the file
      generation          1
      batch               one per row, in each variant and generation
      update              one per batch, or per accumulation_steps batches
      epoch               1; smoothing then counts a 20th of the longest variant as an epoch
      batch_size          derived from samples, else 1
      samples             derived from batch_size
      accumulation_steps  derived from update, else 1
      lr                  0.01
      seconds             in proportion to samples, 20 s for the longest variant

    The screen shows none of these defaults, only what the file tells.
    """
    from engine.log.directory import RunDirectoryError
    from gdtui.export.csv_import import write
    from gdtui.export.csv_import.names import ColumnNameError, parse_columns
    from gdtui.export.csv_import.rows import ImportFormatError

    try:
        named = parse_columns(columns) if columns else {}
    except ColumnNameError as error:
        ctx.fail(f"--columns: {error}")
    try:
        notes = write.import_csv(file, run_dir, __version__, columns=named)
    except (ImportFormatError, RunDirectoryError) as error:
        ctx.fail(str(error))
    for note in notes:
        print_error(f"{ctx.command_path}: {note}")
    return ExitCode.OK


command = GdtuiCommand(
    import_csv,
    "gdtui import FILE RUN_DIR [--columns OURS=THEIRS,…]",
    _EXAMPLES,
    in_group(
        "input and output",
        Argument(
            "file",
            "FILE",
            "the CSV, its first line naming the columns; - reads stdin",
            type=click.Path(readable=False),
        ),
        Argument(
            "run_dir", "RUN_DIR", "a directory for the run; it must not already hold one", type=FILE
        ),
        Option(
            "--columns",
            "OURS=THEIRS,…",
            "names of columns, such as loss=train_loss,update=iter",
            shown="those of export, and plain others",
        ),
    ),
)
