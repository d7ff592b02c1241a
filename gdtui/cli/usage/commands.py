"""What the command line accepts and how its help reads: the parsers of all commands.

Runs nothing and opens nothing. Imported only when a command line is read.
"""

import argparse
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from gdtui.cli.options.run import add_run_options, add_screen_options
from gdtui.cli.value_types import speed

COMMANDS: Final = ("train", "watch", "experiment", "sweep", "export", "import", "runs", "problems")
WRONG_CALL: Final = 2
"""The exit status of a wrong call."""

_APP_USAGE: Final = """\
gdtui [OPTIONS]                   watch it train, and change what you like meanwhile
       gdtui train [OPTIONS] [--json]    the same without a screen
       gdtui watch [RUN_DIR]             the screen on a run that trains elsewhere, or that has ended
       gdtui experiment [NAME]           one claim of the lesson, tested over many seeds
       gdtui sweep [OPTIONS]             the trade-off table, measured, and what to choose
       gdtui export RUN_DIR [-o FILE]    every batch of a run, as CSV
       gdtui import FILE RUN_DIR         a run out of CSV: losses from anywhere
       gdtui runs [--prune]              the runs that are stored
       gdtui problems                    what there is to train on"""

_APP_ABOUT: Final = """\
See what batch size, learning rate and gradient accumulation do to training, while it trains.
In the app, ? shows the keys."""

_APP_EXAMPLES: Final = """\
examples:
  gdtui                                            full batch, 64 and 1 at a time, side by side
  gdtui --lr-scaling linear                        the same three: see their curves fold into one
  gdtui --batch-sizes 512,64 --accumulation 1,8    one big batch against eight small ones
  gdtui --batch-sizes 64,64 --optimizer sgd,adam --lr 0.01,0.001 --names SGD,Adam
  gdtui --keys '8s S 20s ? 3s q'                   a demo that plays itself, the same every time"""

_TRAIN_ABOUT: Final = """\
Train without a screen, as fast as the device goes: a table at the end, or one JSON document.
Every loss is kept in the run's directory; gdtui export writes them as CSV."""

_TRAIN_EXAMPLES: Final = """\
examples:
  gdtui train
  gdtui train --epochs 200 --json > result.json
  gdtui train --batch-sizes 32,128,512 --lr-scaling sqrt --run-dir ./sqrt && gdtui export ./sqrt -o sqrt.csv

exit status: 0 all finished or diverged, 1 one failed, 2 a wrong call, 130 after Ctrl+C"""

_WATCH_ABOUT: Final = """\
Show a run that another process trains, headless too, or that has ended: the same screen, out of the
run's directory alone. Keys that would control it say that they can't.

A replay plays a run that has ended as it went. Space pauses it, < and > change its speed, f goes to
its end; the picture at the end stays."""

_WATCH_EXAMPLES: Final = """\
examples:
  gdtui watch                                  the run that was begun last
  gdtui watch ./my-run --replay 10             ten times as fast as it went
  gdtui watch ./my-run --replay 5 --keys '20s q'    and it ends by itself"""

_EXPORT_ABOUT: Final = """\
Write every batch of a run as CSV, a row each:
variant,generation,batch,update,epoch,samples,seconds,batch_size,accumulation_steps,lr,loss

samples and seconds are those before the batch, for that is the model that had this loss;
update is the one that the batch contributes to; batch_size the samples in it; lr the one in force.

With --measurements, a row for each time that the model was measured on all data, held-out data too:
variant,generation,epoch,batches,updates,samples,seconds,full_loss,validation_loss, and the metrics."""

_EXPORT_EXAMPLES: Final = """\
examples:
  gdtui export ./my-run -o losses.csv
  gdtui export ./my-run | head

exit status: 0 all rows are there, 1 a log is damaged or ends early (what it holds is written)"""

_IMPORT_ABOUT: Final = """\
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

_IMPORT_EXAMPLES: Final = """\
examples:
  gdtui import losses.csv ./mine && gdtui watch ./mine
  gdtui export ./one | gdtui import - ./two

exit status: 0 a run is there, 2 a row or a name is wrong: nothing was written"""

_RUNS_ABOUT: Final = """\
List the stored runs with size and state, the newest first, or remove those that have ended."""

_RUNS_EXAMPLES: Final = """\
examples:
  gdtui runs
  gdtui runs --prune          asks first; a run that is still going stays
  gdtui runs --prune --yes    for scripts"""


_PROBLEMS_ABOUT: Final = """\
List what there is to train on: the problems that come with gdtui, and what your own files can be."""

_PROBLEMS_EXAMPLES: Final = """\
examples:
  gdtui problems
  gdtui problems --json       with the defaults of each"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong with a call in one line, and what is allowed instead."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, formatter_class=_formatter, **kwargs)

    def add_general(self) -> "argparse._ArgumentGroup":
        """The last group of the help: what is left."""
        general = self.add_argument_group("general")
        general.add_argument("-h", "--help", action="help", help="show this and exit")
        return general

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_CALL, f"{self.prog}: {one_line(message.removeprefix('argument '))}\n")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """What was typed; ends the program with exit status 2 when it is not allowed."""
        typed, unknown = self.parse_known_args(arguments)
        if unknown:
            self.error(f"{unknown[0]!r} {self._hint(unknown[0])}")
        return typed

    def _hint(self, word: str) -> str:
        """What was probably meant."""
        if word in COMMANDS:
            return f"goes first: gdtui {word} [OPTIONS]"
        if not word.startswith("-"):
            return (
                f"is not a command: {', '.join(COMMANDS)}, or none" if self.prog == "gdtui" else "is too much"
            )
        options = [option for option in self._option_string_actions if option.startswith("--")]
        close = difflib.get_close_matches(word.partition("=")[0], options, n=1)
        return f"is no option; did you mean {close[0]}?" if close else f"is no option; see {self.prog} --help"


def app_parser() -> Parser:
    """`gdtui`"""
    parser = Parser(prog="gdtui", usage=_APP_USAGE, description=_APP_ABOUT, epilog=_APP_EXAMPLES)
    add_run_options(parser)
    add_screen_options(parser)
    parser.add_general().add_argument("--version", action="store_true", help="show the version and exit")
    return parser


def train_parser() -> Parser:
    """`gdtui train`"""
    parser = Parser(
        prog="gdtui train",
        usage="gdtui train [OPTIONS] [--json]",
        description=_TRAIN_ABOUT,
        epilog=_TRAIN_EXAMPLES,
    )
    add_run_options(parser)
    add_screen_options(parser, is_hidden=True)
    parser.add_general().add_argument(
        "--json", action="store_true", help="one JSON document on stdout, no table"
    )
    return parser


def watch_parser() -> Parser:
    """`gdtui watch`"""
    parser = Parser(
        prog="gdtui watch",
        usage="gdtui watch [RUN_DIR] [--replay SPEED] [OPTIONS]",
        description=_WATCH_ABOUT,
        epilog=_WATCH_EXAMPLES,
    )
    add = parser.add_argument_group("what to watch").add_argument
    add("run_dir", type=Path, nargs="?", metavar="RUN_DIR", help="a run's directory [the newest run]")
    add("--replay", type=speed, metavar="SPEED", help="play it as it went: 1 as fast, 10 ten times as fast")
    add_screen_options(parser)
    parser.add_general()
    return parser


def export_parser() -> Parser:
    """`gdtui export`"""
    parser = Parser(
        prog="gdtui export",
        usage="gdtui export RUN_DIR [--measurements] [-o FILE]",
        description=_EXPORT_ABOUT,
        epilog=_EXPORT_EXAMPLES,
    )
    add = parser.add_argument_group("what and where").add_argument
    add("run_dir", type=Path, metavar="RUN_DIR", help="a run's directory, as gdtui runs lists them")
    add("--measurements", action="store_true", help="what was measured on all data, not the batches")
    add("-o", "--output", type=Path, metavar="FILE", help="the file to write [stdout]")
    parser.add_general()
    return parser


def import_parser() -> Parser:
    """`gdtui import`"""
    parser = Parser(
        prog="gdtui import",
        usage="gdtui import FILE RUN_DIR",
        description=_IMPORT_ABOUT,
        epilog=_IMPORT_EXAMPLES,
    )
    add = parser.add_argument_group("what and where").add_argument
    add("file", metavar="FILE", help="the CSV, its first line naming the columns; - reads stdin")
    add("run_dir", type=Path, metavar="RUN_DIR", help="a directory for the run; it must not hold one")
    parser.add_general()
    return parser


def runs_parser() -> Parser:
    """`gdtui runs`"""
    parser = Parser(
        prog="gdtui runs",
        usage="gdtui runs [--prune [--yes]] [--json]",
        description=_RUNS_ABOUT,
        epilog=_RUNS_EXAMPLES,
    )
    add = parser.add_general().add_argument
    add("--prune", action="store_true", help="remove the runs that have ended; asks first")
    add("--yes", action="store_true", help="with --prune: don't ask")
    add("--json", action="store_true", help="one JSON document on stdout, no table")
    return parser


def problems_parser() -> Parser:
    """`gdtui problems`"""
    parser = Parser(
        prog="gdtui problems",
        usage="gdtui problems [--json]",
        description=_PROBLEMS_ABOUT,
        epilog=_PROBLEMS_EXAMPLES,
    )
    parser.add_general().add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def one_line(message: str) -> str:
    """A message as one line, whatever was typed into it."""
    return " ".join(message.split())


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=110)
