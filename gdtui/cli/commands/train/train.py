"""`gdtui train`: trains without a screen."""

import sys
from typing import TYPE_CHECKING, Any, Final

from gdtui.cli.command import Flag, GdtuiCommand, Option
from gdtui.cli.options.completion import words
from gdtui.cli.options.quiet import quiet_flag
from gdtui.cli.options.run import run_options
from gdtui.cli.options.screen import linger_option, screen_options
from gdtui.cli.streams import is_terminal
from gdtui.cli.value_types import choice

if TYPE_CHECKING:
    import click

_EXAMPLES: Final = """\
examples:
  gdtui train
  gdtui train --epochs 200 --json > result.json
  gdtui train --epochs 5000 --detach             train on after the terminal is closed
  gdtui train --lr-scaling sqrt --run-dir ./sqrt && gdtui export ./sqrt -o sqrt.csv

exit status: 0 all variants finished or diverged, 1 one failed, the disk was full or the run's
directory is gone, 2 usage error, 130 Ctrl+C, 143 gdtui stop"""


_WAIT: Final = "wait"
_ON_FULL: Final = (_WAIT, "stop")


def train(
    ctx: "click.Context", json: bool, quiet: bool, debug: bool, on_full: str | None, **rest: Any
) -> int:
    """Train without a screen, as fast as the device allows; print a table or one JSON document.

    Every loss is kept in the run's directory; gdtui export writes the losses as CSV. A terminal
    that is lost does not end the run: gdtui send and gdtui stop control it from any other.
    """
    from gdtui.cli.commands.train import detached

    detach = rest["detach"]
    if detach and not detached.is_host():
        return detached.start(sys.argv[1:])
    from engine.log.directory import RunDirectoryError
    from gdtui.cli.prepare import prepare_run

    try:
        options, place = prepare_run(ctx)
        directory = place.begin(options.settings)
    except RunDirectoryError as error:
        ctx.fail(str(error))

    from gdtui.cli.commands.train.headless import TrainOptions, train_to_end
    from gdtui.state.runs.removal import discard

    may_wait = detach or is_terminal(sys.stderr)
    train_options = TrainOptions(
        as_json=json,
        is_quiet=quiet,
        debug=debug,
        waits_for_space=may_wait if on_full is None else on_full == _WAIT,
        waits_for_files=may_wait,
        announce=detached.announce if detach else None,
    )
    try:
        return train_to_end(directory, train_options)
    except RunDirectoryError as error:  # before anything has been trained
        discard(directory.path)
        ctx.fail(str(error))


command = GdtuiCommand(
    train,
    "gdtui train [OPTIONS] [--json]",
    _EXAMPLES,
    [
        *run_options(),
        *screen_options(hidden=True),
        linger_option(hidden=True),
        Flag("--json", "one JSON document on stdout, no table"),
        quiet_flag(),
        Flag(
            "--detach",
            "print the run's directory once it trains, and return; output goes to host.out there",
            is_typed=True,
        ),
        Option(
            "--on-full",
            "wait|stop",
            "when the disk is full: wait for space, or stop",
            type=choice(_ON_FULL),
            shown="wait on a terminal, else stop",
            shell_complete=words(_ON_FULL),
        ),
    ],
)
