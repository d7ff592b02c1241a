"""Connects a command to the host of a run, or says why that is impossible and what to do."""

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.experiments.directory import ExperimentDirectory, is_experiment
from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.filesystem.places import known_roots
from engine.session.host.client import Channel, ElsewhereError, HostError, HostLink, find_host
from engine.session.host.resources.terminal import LentTerminal
from engine.session.host.several.links import HostLinks
from engine.sweep.directory import SweepDirectory
from gdtui import __version__
from gdtui.state.runs.removal import has_ended
from gdtui.state.stored_runs import is_sweep

if TYPE_CHECKING:
    import click


class UnreachableError(Exception):
    """A run without a host that can be reached; the message says what to do."""

    def __init__(self, message: str, *, has_ended: bool = False) -> None:
        super().__init__(message)
        self.has_ended = has_ended
        """True for a run that no process trains."""


def open_run(ctx: "click.Context", path: Path) -> RunDirectory:
    """The run there; a usage error if there is none, or it cannot be read."""
    try:
        return RunDirectory.open(path)
    except RunDirectoryError as error:
        ctx.fail(str(error))


def open_path(ctx: "click.Context", path: Path) -> Path:
    """The directory of a run, sweep or experiment; a usage error if none can be read there."""
    if not (is_sweep(path) or is_experiment(path)):
        return open_run(ctx, path).path
    try:
        kind = SweepDirectory if is_sweep(path) else ExperimentDirectory
        return kind.open(path).path
    except RunDirectoryError as error:
        ctx.fail(str(error))


def reach(path: Path, command: str, *, is_viewer: bool = False) -> HostLink:
    """A connection to the host of a run or sweep. `command`: what to type on another machine.

    Raises UnreachableError.
    """
    with _explained(path, command):
        return HostLink(path, find_host(path), __version__, is_viewer=is_viewer)


def reach_all(path: Path, command: str, *, is_viewer: bool = False) -> HostLinks:
    """The connections to all hosts of a run, such as scripts with one run directory.

    As `reach` otherwise.
    """
    with _explained(path, command):
        return HostLinks(path, __version__, is_viewer=is_viewer)


@contextlib.contextmanager
def _explained(path: Path, command: str) -> Iterator[None]:
    """Raise UnreachableError, with what to do, for a HostError."""
    try:
        yield
    except ElsewhereError as error:
        host = error.note.host
        raise UnreachableError(
            f"{path} is trained on {host}: ssh {shlex.quote(host)} {command}"
        ) from None
    except HostError as error:
        if has_ended(path):
            raise UnreachableError(
                f"{path} has ended: gdtui watch shows it, gdtui --like trains it again",
                has_ended=True,
            ) from None
        raise UnreachableError(f"{path} cannot be reached: {error}") from None


def lend_terminal(channel: Channel | HostLinks, modes: list[Any] | None) -> None:
    """Lend the terminal at stdin to the host, which restores it if this process is killed.

    `modes`: those before the app; None without a terminal.
    """
    if modes is not None:
        channel.lend_terminal(LentTerminal(0, modes))


def farewell(run: RunDirectory, *, is_training: bool = True) -> str:
    """The line that says where a run is that was left to its host, and how to come back."""
    state = "trains on" if is_training else "has ended, and waits for a while"
    return f"{run.path} {state}: gdtui attach {short_name(run.path)}"


def lost(run: Path, channel: Channel | HostLinks) -> str:
    """The line about a host that is gone without having ended the run; empty otherwise."""
    if not channel.lost or channel.has_ended_in_order:
        return ""
    if isinstance(channel, HostLinks):
        return (
            f"a script of {run} (process {channel.gone.pid}) crashed or was killed. What was "
            f"logged is safe: gdtui watch {short_name(run)} shows it"
        )
    return (
        f"the host of {run} (process {channel.pid}) crashed or was killed. What was logged is "
        f"safe: gdtui attach {short_name(run)} takes the run up again"
    )


def short_name(path: Path) -> str:
    """The run as it is typed: its name in a place where runs are kept, else its path."""
    return shlex.quote(path.name if path.parent in known_roots() else str(path))
