"""From a command line to a run that can begin: its problem loaded if need be, its options understood.

Ends the program with exit status 2 and one line where that cannot be.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gdtui import __version__

if TYPE_CHECKING:
    from argparse import Namespace

    from engine.log.directory import RunDirectory
    from engine.problems.loader import Loaded
    from engine.settings import RunSettings
    from gdtui.cli.options.run import Options
    from gdtui.cli.usage.commands import Parser


def begun(parser: "Parser", typed: "Namespace", default_pace: float | None) -> tuple["Options", Path]:
    """The run that was described, its problem loaded if it must be first, and the run's directory.

    Ends the program with exit status 2 when it makes no sense.
    """
    from engine.settings import SettingsError
    from gdtui.cli.options.data import must_load, read_data

    try:
        problem, data = read_data(typed)
    except SettingsError as error:
        parser.error(str(error))
    if not must_load(problem, data):
        return understood(parser, typed, default_pace, None), typed.run_dir or empty_directory()

    from engine.problems.loading import LoadingError
    from gdtui.cli.problem_loading import load_problem
    from gdtui.state.stored_runs import remove

    path = typed.run_dir or empty_directory()
    try:
        loaded = load_problem(problem, data, typed.seed, typed.device, path)
    except LoadingError as error:
        if typed.debug:
            print(error.traceback.rstrip(), file=sys.stderr)
        parser.error(str(error))
    try:
        return understood(parser, typed, default_pace, loaded), path
    except SystemExit:
        remove(path)
        raise


def understood(
    parser: "Parser", typed: "Namespace", default_pace: float | None, loaded: "Loaded | None"
) -> "Options":
    """The options with what the problem suggests; ends the program when they make no sense."""
    from engine.settings import SettingsError
    from gdtui.cli.options.run import read_options

    try:
        return read_options(typed, default_pace=default_pace, loaded=loaded)
    except SettingsError as error:
        parser.error(str(error))


def empty_directory() -> Path:
    """An empty directory of our own for a run: two that start in the same second get two."""
    from engine.log.directory import RunDirectoryError, default_root, new_run_path

    while True:
        path = new_run_path(default_root())
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if not path.is_dir():
                raise RunDirectoryError(f"{path.parent} is not a directory") from None
        except OSError as error:
            raise RunDirectoryError(
                f"cannot write to {default_root()}: {error.strerror}. Name another place with --run-dir DIR"
            ) from None
        else:
            return path


def new_arm(below: Path | None, settings: "RunSettings") -> "RunDirectory":
    """The directory of one arm of a sweep, there or among all runs; RunDirectoryError when it cannot be."""
    from engine.log.directory import RunDirectory

    name = settings.variants[0].name.replace(" ", "-").lower()
    return RunDirectory.create(below / name if below else empty_directory(), settings, __version__)
