"""The preparation of a run from its command line: loads the problem if need be, reads the options.

Ends the program with exit status 2 and one line where that cannot be.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

    from engine.problems.loader import Loaded
    from gdtui.cli.options.run import Options
    from gdtui.cli.parser import Parser


def prepare_run(
    parser: "Parser", typed: "Namespace", default_pace: float | None
) -> tuple["Options", Path]:
    """The run that was described, its problem loaded if it must be first, and the run's directory.

    Ends the program with exit status 2 when it makes no sense.
    """
    from engine.settings import SettingsError
    from gdtui.cli.options.data import must_load, read_data
    from gdtui.state.new_run import empty_directory

    try:
        problem, data = read_data(typed)
    except SettingsError as error:
        parser.error(str(error))
    if not must_load(problem, data):
        options = read_run_options(parser, typed, default_pace, None)
        return options, typed.run_dir or empty_directory()

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
        return read_run_options(parser, typed, default_pace, loaded), path
    except SystemExit:
        remove(path)
        raise


def read_run_options(
    parser: "Parser", typed: "Namespace", default_pace: float | None, loaded: "Loaded | None"
) -> "Options":
    """The options with what the problem suggests; ends the program when they make no sense."""
    from engine.settings import SettingsError
    from gdtui.cli.options.run import read_options

    try:
        return read_options(typed, default_pace=default_pace, loaded=loaded)
    except SettingsError as error:
        parser.error(str(error))
