"""`gdtui import`: a run out of CSV."""

import sys
from pathlib import Path
from typing import Final

from gdtui import __version__
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.parser import Parser

_ABOUT: Final = """\
Make a run out of CSV, to be watched, explored, compared and exported: the inverse of export.
Needed are the columns variant, batch (1, 2, 3 … in each variant and generation) and loss (empty, nan
or inf: a gap), in any order. What else export writes is taken where it is there, and else filled in:

  generation          1
  update              one batch each, or accumulation_steps of them
  epoch               1; the smoothing then takes a 20th of the longest variant for an epoch
  batch_size          what samples tell, else 1
  samples             what batch_size tells
  accumulation_steps  what update tells, else 1
  lr                  0.01
  seconds             in step with samples, 20 s for the longest variant: a replay takes so long"""

_EXAMPLES: Final = """\
examples:
  gdtui import losses.csv ./mine && gdtui watch ./mine
  gdtui export ./one | gdtui import - ./two

exit status: 0 a run is there, 2 a row or a name is wrong: nothing was written"""


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
    add = parser.add_argument_group("what and where").add_argument
    add("file", metavar="FILE", help="the CSV, its first line naming the columns; - reads stdin")
    add("run_dir", type=Path, metavar="RUN_DIR", help="a directory for the run; it must not hold one")
    parser.add_general()
    return parser
