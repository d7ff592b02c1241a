"""`gdtui watch`: the screen on runs that other processes train, or that have ended."""

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
  gdtui watch                                  the newest run or sweep
  gdtui watch ./baseline ./warmup              two runs, overlaid
  gdtui watch ./my-run --replay 10             ten times as fast
  gdtui watch ./my-run --replay 5 --keys '20s q'    quits by itself"""


def watch(
    ctx: "click.Context",
    run_dirs: tuple[Path, ...],
    replay: float | None,
    record: Path | None,
    **screen: Any,
) -> int:
    """Show a run that another process is training, with or without a screen, or one that has ended.

    The screen is the same, read from the run's directory alone; keys that control training are
    refused.

    Several runs are overlaid on the same axes, each variant under its run's name. So are the arms
    of a sweep, and all runs in a folder.

    A replay plays back a run that has ended. Space pauses it, < and > change its speed, and f jumps
    to its end, which then stays on screen.
    """
    check_screen(ctx, "watching", instead="gdtui export")

    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.runs.watch_run import open_watched, run_watch
    from gdtui.cli.recording.live import live_recording

    try:
        opened = open_watched(run_dirs, *known_roots(), replay=replay)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    with live_recording(ctx, record, screen["fps"]) as make_app:
        return run_watch(opened, **screen, make_app=make_app)


command = GdtuiCommand(
    watch,
    "gdtui watch [RUN_DIR …] [--replay SPEED] [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "run",
            Argument(
                "run_dirs",
                "RUN_DIR",
                f"{STORED_RUN}; several, to compare them [the newest run]",
                type=find_run,
                nargs=-1,
                required=False,
                shell_complete=stored_runs,
            ),
            Option(
                "--replay",
                "SPEED",
                "replay it; 1 is the original speed, 10 ten times as fast",
                type=above_zero("a speed factor, a number above 0"),
            ),
        ),
        *screen_options(),
    ],
)
