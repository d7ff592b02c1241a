"""A stored run's settings, for options neither typed nor set by a variable.

`--like RUN` takes them, and `--run-dir DIR` of a sweep that is resumed.
"""

import shlex
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from engine.log.directory import RunDirectoryError
from engine.problems.user_file import absolute, is_file
from engine.programs import PROGRAM
from engine.settings import DataSettings, RunSettings, default_names
from engine.settings.text import clean
from gdtui.cli.config.origins import LIKE
from gdtui.cli.options.choices import Setting
from gdtui.cli.options.data import DATA_OPTIONS
from gdtui.cli.options.settings import OF_A_VARIANT, OF_ALL_VARIANTS, OF_THE_RUN
from gdtui.state.overlay.opening import stored_settings

_DATA: Final = ("problem", "data", *DATA_OPTIONS)
_CHOSEN: Final = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
_IMPORTED: Final = "imported"
"""The device recorded for runs made from CSV."""


def take_settings(ctx: click.Context) -> tuple[str, ...]:
    """Take the settings of the run that --like names, if it does; returns notes for the user.

    Settings that a command fixes are not taken; a sweep, for instance, fixes its batch sizes.
    Raises UsageError for a run that cannot be read, or whose settings cannot be used for training.
    """
    if (path := ctx.params["like"]) is None:
        return ()
    try:
        run = stored_settings(path)
    except RunDirectoryError as error:
        ctx.fail(f"--like: {error}")
    fixed = {
        each.name for each in ctx.command.params if isinstance(each, Setting) and each.is_fixed
    }
    return _take(ctx, path, run, [name for name in fixed if name], "--like")


def resume_settings(ctx: click.Context, path: Path, run: RunSettings) -> None:
    """Take all settings of the sweep at `path`, which the command is about to resume.

    Raises UsageError as `take_settings` does.
    """
    for note in _take(ctx, path, run, (), "--run-dir"):
        ctx.fail(f"--run-dir: {note}")


def _take(
    ctx: click.Context, path: Path, run: RunSettings, fixed: Iterable[str], option: str
) -> tuple[str, ...]:
    if run.device == _IMPORTED:
        ctx.fail(f"{option}: {path} was imported, so the settings it was trained with are unknown")
    if run.device == PROGRAM:
        ctx.fail(f"{option}: {path} was trained by a program, so its settings are unknown")
    values, notes = stored_values(ctx, run, option), []
    kept = {*fixed}
    kept.update(name for name in values if ctx.get_parameter_source(name) in _CHOSEN)
    if _is_other_problem(ctx, run, kept):
        kept.update(_DATA)
        notes.append(f"{path} trained {run.title}; its settings are used, its problem is not")
    elif "problem" not in kept and is_file(run.problem):
        ctx.fail(
            f"{option}: {path} trained a problem in a Python file, which is run only if you name "
            f"it: add --problem {shlex.quote(clean(run.problem))}"
        )
    if "batch_sizes" in kept:
        kept.add("names")
    for name in values.keys() - kept:
        ctx.params[name] = values[name]
        ctx.set_parameter_source(name, ParameterSource.DEFAULT_MAP)
    ctx.meta[LIKE] = values.keys() - kept
    return tuple(notes)


def _is_other_problem(ctx: click.Context, run: RunSettings, chosen: Container[str]) -> bool:
    """True if the user has chosen a problem, or data, that the run's do not go with."""
    if "problem" in chosen:
        return absolute(ctx.params["problem"] or "") != run.problem
    return "data" in chosen and run.data is None


def stored_values(ctx: click.Context, run: RunSettings, option: str) -> dict[str, Any]:
    """The run's settings by option name; without its pace, which changes no loss."""
    each = [variant.settings for variant in run.variants]
    common = {name: {getattr(one, name) for one in each} for name in OF_ALL_VARIANTS}
    for name, found in common.items():
        if len(found) > 1:
            ctx.fail(f"{option}: the variants differ in {name}, which a command line sets for all")
    sizes = tuple(one.batch_size for one in each)
    names = tuple(variant.name for variant in run.variants)
    data = run.data
    return {
        "batch_sizes": sizes,
        "names": None if names == default_names(sizes) else names,
        "problem": run.problem,
        "data": None if data is None else data.path,
        **{name: None if data is None else _chosen(data, name) for name in DATA_OPTIONS},
        **{name: found.pop() for name, found in common.items()},
        **{name: _spread(each, field) for name, field in OF_A_VARIANT.items()},
        **{name: getattr(run, name) for name in OF_THE_RUN if name != "pace"},
    }


def _chosen(data: DataSettings, name: str) -> Any:
    """The value of an option on data; None where the user has chosen none."""
    return None if (value := getattr(data, name)) == () else value


def _spread(variants: list[Any], field: str) -> tuple[Any, ...]:
    """A value for each variant; one for all if they agree."""
    values = tuple(getattr(one, field) for one in variants)
    return values[:1] if len(set(values)) == 1 else values
