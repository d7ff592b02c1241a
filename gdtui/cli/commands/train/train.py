"""`gdtui train`: trains without a screen."""

import sys
from typing import Final

from gdtui import __version__
from gdtui.cli.options.run import add_run_options, add_screen_options
from gdtui.cli.parser import Parser

_ABOUT: Final = """\
Train without a screen, as fast as the device goes: a table at the end, or one JSON document.
Every loss is kept in the run's directory; gdtui export writes them as CSV."""

_EXAMPLES: Final = """\
examples:
  gdtui train
  gdtui train --epochs 200 --json > result.json
  gdtui train --batch-sizes 32,128,512 --lr-scaling sqrt --run-dir ./sqrt && gdtui export ./sqrt -o sqrt.csv

exit status: 0 all finished or diverged, 1 one failed, 2 usage error, 130 Ctrl+C"""


def run(arguments: list[str]) -> int:
    """Train to the end and print a table or JSON; returns the exit status."""
    parser = train_parser()
    typed = parser.parse(arguments)

    from engine.log.directory import RunDirectory, RunDirectoryError
    from gdtui.cli.prepare import prepare_run

    try:
        chosen, path = prepare_run(parser, typed, None)
        for note in chosen.notes:
            print(f"{parser.prog}: {note}", file=sys.stderr)
        directory = RunDirectory.create(path, chosen.settings, __version__)
    except RunDirectoryError as error:
        parser.error(str(error))

    from gdtui.cli.commands.train.headless import train

    return train(directory, as_json=typed.json, debug=typed.debug)


def train_parser() -> Parser:
    """`gdtui train`"""
    parser = Parser(
        prog="gdtui train",
        usage="gdtui train [OPTIONS] [--json]",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    add_run_options(parser)
    add_screen_options(parser, is_hidden=True)
    parser.add_general().add_argument(
        "--json", action="store_true", help="one JSON document on stdout, no table"
    )
    return parser
