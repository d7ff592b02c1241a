"""The commands by name; each module is imported only when its command is named.

Each module has `command`, a gdtui.cli.command.GdtuiCommand.
"""

from importlib import import_module
from typing import Final

import click
from click.shell_completion import CompletionItem

from gdtui.cli.command import GdtuiCommand

APP: Final = "gdtui.cli.commands.train.app"
"""The command without a name, which trains and shows."""
COMMANDS: Final = {
    "train": "gdtui.cli.commands.train.train",
    "watch": "gdtui.cli.commands.runs.watch",
    "run": "gdtui.cli.commands.program.run",
    "experiment": "gdtui.cli.commands.measure.experiment",
    "sweep": "gdtui.cli.commands.measure.sweep",
    "audit": "gdtui.cli.commands.measure.audit",
    "record": "gdtui.cli.commands.show.record",
    "plot": "gdtui.cli.commands.show.plot",
    "serve": "gdtui.cli.commands.show.serve",
    "export": "gdtui.cli.commands.runs.export",
    "import": "gdtui.cli.commands.runs.import_csv",
    "runs": "gdtui.cli.commands.runs.runs",
    "verify": "gdtui.cli.commands.runs.verify",
    "resume": "gdtui.cli.commands.checkpoints.resume",
    "fork": "gdtui.cli.commands.checkpoints.fork",
    "rewind": "gdtui.cli.commands.checkpoints.rewind",
    "weights": "gdtui.cli.commands.checkpoints.weights",
    "attach": "gdtui.cli.commands.control.attach",
    "send": "gdtui.cli.commands.control.send",
    "stop": "gdtui.cli.commands.control.stop",
    "lesson": "gdtui.cli.commands.learn.lesson",
    "problems": "gdtui.cli.commands.learn.problems",
    "config": "gdtui.cli.commands.learn.config",
    "docs": "gdtui.cli.commands.learn.docs",
}


class Program(click.Group):
    """`gdtui`: the command that is named first, or the app, with all its options, if none is."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> GdtuiCommand | None:
        module = APP if cmd_name == "" else COMMANDS.get(cmd_name)
        return None if module is None else load(module)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave every word to the command; the app's name is the empty string."""
        if (args[:1] and args[0] not in COMMANDS) or not (args or ctx.resilient_parsing):
            args = ["", *args]
        return super().parse_args(ctx, ["--", *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and the app's options."""
        names = [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]
        return [*names, *load(APP).shell_complete(ctx, incomplete)]


def load(module: str) -> GdtuiCommand:
    """The command defined in a module."""
    command = import_module(module).command
    assert isinstance(command, GdtuiCommand)
    return command


program: Final = Program("gdtui", add_help_option=False)
