"""`gdtui watch`: the screen on a run that another process trains, or that has ended."""

from pathlib import Path
from typing import Final

from gdtui.cli.options.run import add_screen_options
from gdtui.cli.parser import Parser
from gdtui.cli.streams import check_screen
from gdtui.cli.value_types import speed

_ABOUT: Final = """\
Show a run that another process is training, with a screen or without, or one that has ended. The
screen is the same, read from the run's directory alone; keys that control training are refused.

A replay plays back a run that has ended. Space pauses it, < and > change its speed, and f jumps to
its end, where the last picture stays."""

_EXAMPLES: Final = """\
examples:
  gdtui watch                                  the newest run
  gdtui watch ./my-run --replay 10             ten times as fast
  gdtui watch ./my-run --replay 5 --keys '20s q'    quits by itself"""


def run(arguments: list[str]) -> int:
    """Show a run until the user quits; returns the exit status."""
    parser = watch_parser()
    typed = parser.parse(arguments)
    check_screen(parser, "watching", instead="gdtui export")

    from engine.log.directory import RunDirectoryError, default_root
    from gdtui.cli.commands.runs.watch_run import open_run, run_watch

    try:
        directory = open_run(typed.run_dir, default_root(), is_replay=typed.replay is not None)
    except RunDirectoryError as error:
        parser.error(str(error))
    return run_watch(
        directory, replay=typed.replay, theme=typed.theme, fps=typed.fps, keys=typed.keys
    )


def watch_parser() -> Parser:
    """`gdtui watch`"""
    parser = Parser(
        prog="gdtui watch",
        usage="gdtui watch [RUN_DIR] [--replay SPEED] [OPTIONS]",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    add = parser.add_argument_group("run").add_argument
    add(
        "run_dir",
        type=Path,
        nargs="?",
        metavar="RUN_DIR",
        help="a run's directory [the newest run]",
    )
    add(
        "--replay",
        type=speed,
        metavar="SPEED",
        help="replay it: 1 at the original speed, 10 ten times as fast",
    )
    add_screen_options(parser)
    parser.add_general()
    return parser
