"""Takes up a run that has ended, by whatever end: its directory, its problem, where it stood."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from click.core import ParameterSource
from msgspec.structs import replace

from engine.log.directory import RunDirectoryError
from engine.problems.loading import LoadingError
from engine.problems.user_file import absolute, is_file
from engine.session.past import ResumedRun
from engine.settings import RunSettings
from engine.settings.text import clean
from gdtui.cli.options.data import must_load, read_data
from gdtui.cli.options.like import stored_values
from gdtui.cli.problem_loading import reload_problem
from gdtui.cli.streams import print_error

if TYPE_CHECKING:
    import click

    from gdtui.cli.problem_loading import LoadProblem

_CHOSEN: Final = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
_FREE: Final = frozenset({"epochs", "pace", "threads", "measuring", "problem", "names", "data"})
"""Options that may differ when a run goes on, or are checked separately."""
_IMPORTED: Final = "imported"
"""The device recorded for runs made from CSV."""


def take_up(
    ctx: "click.Context",
    path: Path,
    *,
    problem: str | None,
    epochs: int | None,
    start_loader: "Callable[[], LoadProblem] | None" = None,
) -> ResumedRun:
    """The run at `path`, ready to go on; a usage error if it cannot.

    `problem`: as typed, which is required for a problem in a Python file, since a run directory
    that came from somebody else must not name code to be run. `epochs`: to be done in total.
    `start_loader`: starts what loads the problem, if it is to be loaded; see LoadProblem.
    """
    try:
        run = ResumedRun.take_up(path, epochs)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    try:
        _check_problem(ctx, run.info.settings, problem, path)
        _load(ctx, run, start_loader)
    except BaseException:
        run.custody.release()
        raise
    return run


def _check_problem(
    ctx: "click.Context", settings: RunSettings, problem: str | None, path: Path
) -> None:
    if settings.device == _IMPORTED:
        ctx.fail(f"{path} was imported: there is no training to go on with")
    if settings.is_script:
        ctx.fail(
            f"{path} was trained by a program ({clean(settings.problem)}), which alone can go on "
            "with it: run that again"
        )
    if problem is not None and absolute(problem) != settings.problem:
        ctx.fail(f"{path} trains {clean(settings.problem)}, not {problem}")
    if problem is None and is_file(settings.problem):
        ctx.fail(
            f"{path} trains a problem in a Python file, which is run only if you name it: add "
            f"--problem {shlex.quote(clean(settings.problem))}"
        )


def _load(
    ctx: "click.Context", run: ResumedRun, start_loader: "Callable[[], LoadProblem] | None"
) -> None:
    settings = run.info.settings
    if not must_load(settings.problem, settings.data):
        return
    try:
        load_with = None if start_loader is None else start_loader()
        run.custody.handover = reload_problem(run, load_with)
    except LoadingError as error:
        if ctx.params.get("debug"):
            print_error(error.traceback.rstrip())
        ctx.fail(str(error))


def check_options(ctx: "click.Context", run: ResumedRun) -> None:
    """Raise a usage error for options of this command line that the run was not begun with."""
    if ctx.get_parameter_source("data") in _CHOSEN:
        _, data = read_data(ctx.params)
        if (
            data is None
            or run.info.settings.data is None
            or (data.path != run.info.settings.data.path)
        ):
            ctx.fail(f"{run.path} was begun with other --data; choose another --run-dir")
    values = stored_values(ctx, run.info.settings, "--run-dir")
    for name in values.keys() - _FREE:
        if ctx.get_parameter_source(name) not in _CHOSEN:
            continue
        given, stored = _plain(ctx.params[name]), _plain(values[name])
        if given != stored:
            option = f"--{name.replace('_', '-')}"
            ctx.fail(
                f"{run.path} was begun with another {option}; omit it, send it to the run once it "
                "trains (gdtui send), or choose another --run-dir"
            )


def _plain(value: Any) -> Any:
    """The value, or the only one of several; a path as it is stored."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        return value[0]
    return str(value) if isinstance(value, Path) else value


def take_up_described(ctx: "click.Context", path: Path) -> ResumedRun:
    """The run at `path`, to go on as the options of `gdtui train` say.

    An option that was typed must be that of the run; more epochs than it planned are done, too.
    """
    values = ctx.params
    is_named = ctx.get_parameter_source("problem") in _CHOSEN
    run = take_up(ctx, path, problem=values["problem"] if is_named else None, epochs=None)
    try:
        check_options(ctx, run)
    except BaseException:
        run.custody.release()
        run.custody.remove_handover()
        raise
    is_longer = ctx.get_parameter_source("epochs") in _CHOSEN
    epochs = max(run.past.epochs, values["epochs"] if is_longer else 0)
    run.past = replace(run.past, epochs=epochs, pace=values["pace"])
    return run
