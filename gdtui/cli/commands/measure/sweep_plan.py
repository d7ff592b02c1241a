"""The plan and the directory of a sweep, from the command line or from a sweep to be resumed."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.private import PrivateDirectory
from engine.session.hosted import HostedWork
from engine.settings import RunSettings
from engine.sweep.directory import SweepDirectory
from engine.sweep.run import Plan
from gdtui import __version__
from gdtui.cli.options.like import resume_settings
from gdtui.cli.prepare import prepare_run
from gdtui.state.runs.new_run import begin_sweep
from gdtui.state.runs.removal import remove_cut_short
from gdtui.state.stored_runs import is_sweep

_UNLIKE: Final = "pace"
"""The only setting that arms do not have."""


@dataclass(frozen=True, slots=True)
class PreparedSweep:
    """A sweep that is about to begin, or to go on."""

    plan: Plan
    directory: SweepDirectory

    @property
    def work(self) -> HostedWork:
        """The sweep as its host serves it."""
        info = self.directory.info
        return HostedWork(RunDirectory.planned(self.directory.path, info.settings, __version__))


@contextlib.contextmanager
def prepare_sweep(ctx: click.Context) -> Iterator[PreparedSweep]:
    """The sweep that was described; resumed if its directory already holds it.

    Raises UsageError or RunDirectoryError.
    """
    path: Path | None = ctx.params["run_dir"]
    earlier = SweepDirectory.open(path) if path is not None and is_sweep(path) else None
    if earlier is not None:
        resume_settings(ctx, earlier.path, earlier.info.settings)
        if ctx.params["memory_limit"] is None:
            ctx.params["memory_limit"] = earlier.info.memory_limit_mb
    ctx.params["run_dir"] = None
    options, place = prepare_run(ctx)
    place.discard()  # each arm has its own directory
    try:
        yield _prepared(ctx, path, earlier, options.settings, place.handover)
    finally:
        if place.handover is not None:
            place.handover.remove()


def _prepared(
    ctx: click.Context,
    path: Path | None,
    earlier: SweepDirectory | None,
    settings: RunSettings,
    handover: PrivateDirectory | None,
) -> PreparedSweep:
    limit: float | None = ctx.params["memory_limit"]
    if earlier is not None and (others := _differences(earlier.info.settings, settings)):
        raise RunDirectoryError(
            f"{path} holds a sweep with other settings ({', '.join(others)}); nothing was changed. "
            "Choose another --run-dir, or give --run-dir alone to go on with that sweep"
        )
    directory = earlier or begin_sweep(path, settings, limit)
    plan = Plan(settings, limit, lambda _: directory, handover, remove_arm=remove_cut_short)
    return PreparedSweep(plan, directory)


def _differences(before: RunSettings, after: RunSettings) -> Sequence[str]:
    """The names of the settings that differ."""
    found = [
        name
        for name in before.__struct_fields__
        if name not in (_UNLIKE, "variants") and getattr(before, name) != getattr(after, name)
    ]
    if before.variants != after.variants:
        found += _variant_differences(before, after)
    return found


def _variant_differences(before: RunSettings, after: RunSettings) -> Sequence[str]:
    if len(before.variants) != len(after.variants):
        return ["batch_sizes"]
    pairs = list(zip(before.variants, after.variants, strict=True))
    fields = before.variants[0].settings.__struct_fields__
    found = [
        name
        for name in fields
        if any(getattr(one.settings, name) != getattr(other.settings, name) for one, other in pairs)
    ]
    return found or ["names"]
