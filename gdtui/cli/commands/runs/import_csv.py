"""`gdtui import`: a run out of CSV."""

import sys
from pathlib import Path
from typing import Final

from gdtui import __version__
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.parser import Parser

_ABOUT: Final = """\
Make a run from CSV, to be watched, explored, compared and exported: the inverse of export.
Required columns, in any order: variant, batch (1, 2, 3 … in each variant and generation) and loss
(empty, nan or inf: a gap). The other columns of export are optional, with these defaults:

  generation          1
  update              one per batch, or per accumulation_steps batches
  epoch               1; for smoothing, an epoch is then a 20th of the longest variant
  batch_size          derived from samples, else 1
  samples             derived from batch_size
  accumulation_steps  derived from update, else 1
  lr                  0.01
  seconds             in proportion to samples, 20 s for the longest variant"""

_EXAMPLES: Final = """\
examples:
  gdtui import losses.csv ./mine && gdtui watch ./mine
  gdtui export ./one | gdtui import - ./two

exit status: 0 run written, 2 a row or a name is wrong: nothing was written"""


def run(arguments: list[str]) -> int:
    """Make the run; returns the exit status."""
    parser = import_parser()
    typed = parser.parse(arguments)

    from engine.log.directory import RunDirectoryError
    from gdtui.export.csv_import.rows import ImportFormatError
    from gdtui.export.csv_import.write import import_csv

    try:
        notes = import_csv(typed.file, typed.run_dir, __version__)
    except (ImportFormatError, RunDirectoryError) as error:
        parser.error(str(error))
    for note in notes:
        print(f"{parser.prog}: {note}", file=sys.stderr)
    return ExitCode.OK


def import_parser() -> Parser:
    """`gdtui import`"""
    parser = Parser(
        prog="gdtui import",
        usage="gdtui import FILE RUN_DIR",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    add = parser.add_argument_group("input and output").add_argument
    add("file", metavar="FILE", help="the CSV, its first line naming the columns; - reads stdin")
    add(
        "run_dir",
        type=Path,
        metavar="RUN_DIR",
        help="a directory for the run; it must not hold one",
    )
    parser.add_general()
    return parser
