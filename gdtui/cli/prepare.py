"""Prepares a run from its command line: loads the problem if necessary, reads the options.

Raises click.UsageError, with a one-line reason, if that fails.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gdtui.cli.streams import print_error

if TYPE_CHECKING:
    from engine.problems.loader import Loaded
    from engine.settings import DataSettings
    from gdtui.cli.options.settings import RunOptions
    from gdtui.cli.problem_loading import LoadProblem
    from gdtui.state.runs.new_run import NewRun

_MOST_NAMES: Final = 3
"""Maximum number of other files in the run's directory that are listed by name."""


def prepare_run(
    ctx: click.Context, start_loader: "Callable[[], LoadProblem] | None" = None
) -> tuple["RunOptions", "NewRun"]:
    """The run that was described, its problem loaded if that comes first, and its directory.

    `start_loader`: starts what loads a problem, if one is to be loaded; see LoadProblem.
    Prints its notes on stderr. Raises UsageError if the options make no sense.
    """
    options, place = _prepare(ctx, start_loader)
    if found := place.leftovers:
        shown = ", ".join(found[:_MOST_NAMES])
        more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
        text = f"{place.path} also holds {shown}{more}: left as they are"
        print_error(f"{ctx.command_path.strip()}: {text}")
    return options, place


def _prepare(
    ctx: click.Context, start_loader: "Callable[[], LoadProblem] | None"
) -> tuple["RunOptions", "NewRun"]:
    from engine.settings import SettingsError
    from gdtui.cli.options.data import must_load, read_data
    from gdtui.state.runs.new_run import NewRun, empty_directory

    notes: tuple[str, ...] = ()
    if (values := ctx.params)["like"] is not None:
        from gdtui.cli.options.like import take_settings

        notes = take_settings(ctx)
    try:
        problem, data = read_data(values)
    except SettingsError as error:
        ctx.fail(str(error))
    if not must_load(problem, data):
        options = _read_options(ctx, None, notes)
        return options, NewRun(values["run_dir"] or empty_directory())

    load_with = None if start_loader is None else start_loader()
    path = values["run_dir"] or empty_directory()
    loaded, place = load(ctx, problem, data, path, load_with=load_with)
    try:
        return _read_options(ctx, loaded, notes), place
    except click.UsageError:
        place.abandon()
        raise


def load(
    ctx: click.Context,
    problem: str,
    data: "DataSettings | None",
    path: Path,
    **how: Any,
) -> tuple["Loaded", "NewRun"]:
    """Load the problem for a run at `path`, with these arguments of `load_problem`.

    If that fails, raises UsageError, after the traceback if --debug asks for it.
    """
    from engine.problems.loading import LoadingError
    from gdtui.cli.problem_loading import load_problem
    from gdtui.state.runs.new_run import NewRun

    values = ctx.params
    try:
        loaded, handover = load_problem(
            problem, data, values["seed"], values["device"], path, **how
        )
    except LoadingError as error:
        if values["debug"]:
            print_error(error.traceback.rstrip())
        ctx.fail(str(error))
    return loaded, NewRun(path, handover)


def _read_options(
    ctx: click.Context, loaded: "Loaded | None", notes: tuple[str, ...]
) -> "RunOptions":
    """Read the options, with the problem's suggestions; print their notes on stderr."""
    from engine.settings import SettingsError
    from gdtui.cli.options.settings import read_options

    try:
        options = read_options(ctx, loaded)
    except SettingsError as error:
        ctx.fail(str(error))
    for note in notes + options.notes:
        print_error(f"{ctx.command_path.strip()}: {note}")
    return options
