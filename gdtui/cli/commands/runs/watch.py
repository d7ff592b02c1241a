"""`gdtui watch`: the screen on a run that another process trains, or that has ended."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.filesystem.places import find_run, known_roots
from gdtui.cli.command import Argument, GdtuiCommand, Option, in_group
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.options.screen import screen_options
from gdtui.cli.streams import check_screen
from gdtui.cli.value_types import above_zero

if TYPE_CHECKING:
    import click

_EXAMPLES: Final = """\
examples:
  gdtui watch                                  the newest run
  gdtui watch ./my-run --replay 10             ten times as fast
  gdtui watch ./my-run --replay 5 --keys '20s q'    quits by itself"""


def watch(ctx: "click.Context", run_dir: Path | None, replay: float | None, **screen: Any) -> int:
    """Show a run that another process is training, with a screen or without, or one that has ended.

    The screen is the same, read from the run's directory alone; keys that control training are
    refused.

    A replay plays back a run that has ended. Space pauses it, < and > change its speed, and f jumps
    to its end, where the last picture stays.
    """
    check_screen(ctx, "watching", instead="gdtui export")

    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.runs.watch_run import open_run, run_watch

    try:
        directory = open_run(run_dir, *known_roots(), is_replay=replay is not None)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    return run_watch(directory, replay=replay, **screen)


command = GdtuiCommand(
    watch,
    "gdtui watch [RUN_DIR] [--replay SPEED] [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "run",
            Argument(
                "run_dir",
                "RUN_DIR",
                f"{STORED_RUN} [the newest run]",
                type=find_run,
                required=False,
                shell_complete=stored_runs,
            ),
            Option(
                "--replay",
                "SPEED",
                "replay it: 1 at the original speed, 10 ten times as fast",
                type=above_zero("a speed factor, a number above 0"),
            ),
        ),
        *screen_options(),
    ],
)
