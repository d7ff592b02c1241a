"""`gdtui` without a subcommand: trains and shows it on the screen.

Light until the options make sense: the app paints before it loads anything.
"""

import sys
from typing import Final

from gdtui import __version__
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.run import APP_PACE, add_run_options, add_screen_options
from gdtui.cli.parser import Parser
from gdtui.cli.streams import check_screen

_USAGE: Final = """\
gdtui [OPTIONS]                   train on screen, and change settings while it trains
       gdtui train [OPTIONS] [--json]    the same without a screen
       gdtui watch [RUN_DIR]             the screen for a run that trains elsewhere or has ended
       gdtui experiment [NAME]           one claim of the lesson, tested over many seeds
       gdtui sweep [OPTIONS]             the trade-off table, measured, and a recommendation
       gdtui export RUN_DIR [-o FILE]    every batch of a run, as CSV
       gdtui import FILE RUN_DIR         a run from CSV: losses from any program
       gdtui runs [--prune]              the runs that are stored
       gdtui problems                    the problems to train on
       gdtui docs [TOPIC]                the documentation"""

_ABOUT: Final = """\
See what batch size, learning rate and gradient accumulation do to training, live.
In the app, press ? for the keys."""

_EXAMPLES: Final = """\
examples:
  gdtui                                            full batch, 64 and 1 at a time, side by side
  gdtui --lr-scaling linear                        the same three: see their curves fold into one
  gdtui --batch-sizes 512,64 --accumulation 1,8    one big batch against eight small ones
  gdtui --batch-sizes 64,64 --optimizer sgd,adam --lr 0.01,0.001 --names SGD,Adam
  gdtui --keys '8s S 20s ? 3s q'                   a demo that plays itself, the same every time"""


def run(arguments: list[str]) -> int:
    """Train and show until the user quits; returns the exit status."""
    parser = app_parser()
    typed = parser.parse(arguments)
    if typed.version:
        print(f"gdtui {__version__}")
        return ExitCode.OK
    check_screen(parser, "the app", instead="gdtui train")

    from engine.log.directory import RunDirectoryError
    from gdtui.cli.prepare import prepare_run
    from gdtui.cli.run_app import run_live

    try:
        chosen, path = prepare_run(parser, typed, APP_PACE)
        for note in chosen.notes:  # seen once the app has left the screen
            print(f"{parser.prog}: {note}", file=sys.stderr)
        return run_live(chosen.settings, path, theme=chosen.theme, fps=chosen.fps, keys=chosen.keys)
    except RunDirectoryError as error:
        parser.error(str(error))


def app_parser() -> Parser:
    """`gdtui`"""
    parser = Parser(prog="gdtui", usage=_USAGE, description=_ABOUT, epilog=_EXAMPLES)
    add_run_options(parser)
    add_screen_options(parser)
    parser.add_general().add_argument(
        "--version", action="store_true", help="show the version and exit"
    )
    return parser
