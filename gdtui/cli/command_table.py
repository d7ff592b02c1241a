"""The subcommands by name, each with the module that runs it: imported when its name is typed, no
sooner.

Each module has `run(arguments)`, which reads the rest of the command line and returns the exit
status.
"""

from typing import Final

APP: Final = "gdtui.cli.commands.train.app"
"""The command without a name: train and show."""
COMMANDS: Final = {
    "train": "gdtui.cli.commands.train.train",
    "watch": "gdtui.cli.commands.runs.watch",
    "experiment": "gdtui.cli.commands.measure.experiment",
    "sweep": "gdtui.cli.commands.measure.sweep",
    "export": "gdtui.cli.commands.runs.export",
    "import": "gdtui.cli.commands.runs.import_csv",
    "runs": "gdtui.cli.commands.runs.runs",
    "problems": "gdtui.cli.commands.learn.problems",
    "docs": "gdtui.cli.commands.learn.docs",
}
