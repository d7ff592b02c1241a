"""`gdtui train`: trains without a screen."""

from typing import TYPE_CHECKING, Any, Final

from gdtui import __version__
from gdtui.cli.command import Flag, GdtuiCommand
from gdtui.cli.options.quiet import quiet_flag
from gdtui.cli.options.run import run_options
from gdtui.cli.options.screen import screen_options

if TYPE_CHECKING:
    import click

_EXAMPLES: Final = """\
examples:
  gdtui train
  gdtui train --epochs 200 --json > result.json
  gdtui train --lr-scaling sqrt --run-dir ./sqrt && gdtui export ./sqrt -o sqrt.csv

exit status: 0 all finished or diverged, 1 one failed, 2 usage error, 130 Ctrl+C"""


def train(ctx: "click.Context", json: bool, quiet: bool, debug: bool, **_: Any) -> int:
    """Train without a screen, as fast as the device goes: a table at the end, or one JSON document.

    Every loss is kept in the run's directory; gdtui export writes them as CSV.
    """
    from engine.log.directory import RunDirectory, RunDirectoryError
    from gdtui.cli.prepare import prepare_run

    try:
        options, path = prepare_run(ctx)
        directory = RunDirectory.create(path, options.settings, __version__)
    except RunDirectoryError as error:
        ctx.fail(str(error))

    from gdtui.cli.commands.train.headless import train as train_to_end

    return train_to_end(directory, as_json=json, is_quiet=quiet, debug=debug)


command = GdtuiCommand(
    train,
    "gdtui train [OPTIONS] [--json]",
    _EXAMPLES,
    [
        *run_options(),
        *screen_options(hidden=True),
        Flag("--json", "one JSON document on stdout, no table"),
        quiet_flag(),
    ],
)
