"""The directory of an experiment: a new one, or that of an experiment to be resumed."""

from pathlib import Path

import click

from engine.experiments.directory import ExperimentDirectory, is_experiment
from engine.experiments.job import ExperimentTask
from engine.experiments.registry import find
from engine.jobs.cores import fair_threads, usable_cores
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.session.hosted import HostedWork
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui import __version__
from gdtui.cli.options.choices import is_set
from gdtui.state.runs.new_run import new_directory


def prepare_experiment(ctx: click.Context) -> ExperimentDirectory:
    """The directory of the experiment that was described; that which --run-dir holds, if any.

    Raises UsageError, SettingsError or RunDirectoryError.
    """
    values = ctx.params
    path: Path | None = values["run_dir"]
    if path is not None and is_experiment(path):
        return _earlier(ctx, ExperimentDirectory.open(path))
    if values["name"] is None:
        raise RunDirectoryError(f"{path} holds no experiment: name one, see gdtui experiment")
    task = ExperimentTask(
        name=find(values["name"]).name,
        seeds=tuple(range(values["seeds"])),
        device=values["device"],
        threads=values["threads"] or fair_threads(usable_cores(), 1),
    )
    with new_directory(path) as place:
        return ExperimentDirectory.create(place, task, __version__)


def _earlier(ctx: click.Context, found: ExperimentDirectory) -> ExperimentDirectory:
    """The experiment there, unless the user has described another one."""
    info, values = found.info, ctx.params
    has = {
        "name": info.name,
        "seeds": len(info.seeds),
        "device": info.device,
        "threads": info.threads,
    }
    typed = {name: values[name] for name in has if is_set(ctx, name) and values[name] is not None}
    if "name" in typed:
        typed["name"] = find(typed["name"]).name
    if others := [name for name, value in typed.items() if value != has[name]]:
        raise RunDirectoryError(
            f"{found.path} holds an experiment with another {' and '.join(others)}; nothing was "
            "changed. Choose another --run-dir, or give --run-dir alone to go on with it"
        )
    return found


def work_of(directory: ExperimentDirectory) -> HostedWork:
    """The experiment as its host serves it."""
    name = directory.info.name
    settings = RunSettings(
        variants=(Variant(name=name, settings=VariantSettings()),), problem=f"experiment {name}"
    )
    return HostedWork(RunDirectory.planned(directory.path, settings, __version__))
