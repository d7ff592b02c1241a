"""`gdtui train`: trains without a screen."""

import sys
from collections.abc import Iterator
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

    from engine.log.directory import RunDirectory

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


def train(ctx: "click.Context", json: bool, quiet: bool, debug: bool, **rest: Any) -> int:
    """Train without a screen, as fast as the device allows; print a table or one JSON document.

    Every loss is kept in the run's directory; gdtui export writes the losses as CSV. A terminal
    that is lost does not end the run: gdtui send and gdtui stop control it from any other.
    """
    from gdtui.cli.commands.train import detached

    if rest["detach"] and not detached.is_host():
        return detached.start(sys.argv[1:])
    directory = _directory(ctx, is_resumed=rest["resume"])
    return train_run(ctx, directory, json=json, quiet=quiet, debug=debug, **rest)


def _directory(ctx: "click.Context", *, is_resumed: bool) -> "RunDirectory":
    """The run that was described, created here, or taken up again."""
    from engine.log.directory import RUN_FILE, RunDirectoryError
    from gdtui.cli.prepare import prepare_run

    values = ctx.params
    path = values["run_dir"]
    if is_resumed and path is None:
        ctx.fail("--resume requires --run-dir DIR, the run to begin or to go on with")
    if is_resumed and (path / RUN_FILE).exists():
        from gdtui.cli.resuming import take_up_described

        return take_up_described(ctx, path)
    try:
        options, place = prepare_run(ctx)
        return place.begin(options.settings)
    except RunDirectoryError as error:
        ctx.fail(str(error))


def train_run(
    ctx: "click.Context",
    directory: "RunDirectory",
    *,
    json: bool,
    quiet: bool,
    debug: bool,
    on_full: str | None,
    detach: bool,
    **_: Any,
) -> int:
    """Train a run that was just created or taken up, as the options say."""
    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.train import detached
    from gdtui.cli.commands.train.headless import TrainOptions, train_to_end
    from gdtui.state.runs.removal import discard_new

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
        discard_new(directory)
        ctx.fail(str(error))


def headless_options() -> Iterator[Option]:
    """The options of a training without a screen that do not describe the run."""
    yield Flag("--json", "one JSON document on stdout, no table")
    yield quiet_flag()
    text = "print the run's directory once it trains, and return; output goes to host.out there"
    yield Flag("--detach", text, is_typed=True)
    yield Option(
        "--on-full",
        "wait|stop",
        "when the disk is full: wait for space, or stop",
        type=choice(_ON_FULL),
        shown="wait on a terminal, else stop",
        shell_complete=words(_ON_FULL),
    )


command = GdtuiCommand(
    train,
    "gdtui train [OPTIONS] [--json]",
    _EXAMPLES,
    [
        *run_options(),
        *screen_options(hidden=True),
        linger_option(hidden=True),
        *headless_options(),
        Flag(
            "--resume",
            "go on with the run in --run-dir if there is one, else begin it",
            is_typed=True,
        ),
    ],
)
