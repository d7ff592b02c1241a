"""`gdtui attach`: the whole screen, with control, on a run that another process trains."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.log.filesystem.places import find_run, known_roots
from gdtui.cli.command import Argument, GdtuiCommand, in_group
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.options.screen import linger_option, screen_options
from gdtui.cli.streams import check_screen

if TYPE_CHECKING:
    import click

_EXAMPLES: Final = """\
examples:
  gdtui attach                    the newest run that is training
  gdtui attach ./my-run           this run, even if it has ended
  gdtui attach ./my-run --keys '2 ] 5s q'

exit status: 0 detached or stopped, 1 the run cannot be reached, 2 usage error, 130 Ctrl+C"""


def attach(ctx: "click.Context", run_dir: Path | None, **screen: Any) -> int:
    """Show a run that another process trains, and control it: all keys have their effect.

    A run that has ended gets a process again: c goes on with it from where it ended, r begins again
    from the first weights.

    Several terminals may be attached to a run; a change made in one appears in all. d, Ctrl+C and
    the loss of the terminal leave the run alone; q asks whether to stop it, leave it running or
    stay.
    """
    check_screen(ctx, "attaching", instead="gdtui send")

    from gdtui.cli.commands.control.attach_run import attach_to, newest_hosted
    from gdtui.cli.hosts.reaching import open_run

    path = run_dir or newest_hosted(*known_roots())
    if path is None:
        ctx.fail(
            f"no run in {known_roots()[0]} is training: name the directory of one elsewhere, or "
            "start one with gdtui train --detach"
        )
    return attach_to(open_run(ctx, path), **screen)


command = GdtuiCommand(
    attach,
    "gdtui attach [RUN] [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "run",
            Argument(
                "run_dir",
                "RUN",
                f"{STORED_RUN} [the newest that is training]",
                type=find_run,
                required=False,
                shell_complete=stored_runs,
            ),
        ),
        *screen_options(records=False),
        *in_group("screen", linger_option()),
    ],
)
