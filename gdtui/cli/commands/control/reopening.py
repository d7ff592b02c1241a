"""Gives a run that has ended a host again, so that keys can train it once more."""

import time
from pathlib import Path

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.problems.user_file import is_file
from engine.session.host.client import Channel
from engine.session.host.note import read_notes
from engine.settings.text import clean
from gdtui import __version__
from gdtui.cli.commands.train.host.messages import HostTask
from gdtui.cli.commands.train.host.process import HostProcess
from gdtui.cli.hosts.reaching import UnreachableError, short_name


def reopen(run: RunDirectory, linger: float) -> Channel:
    """Start a host for a run that has ended; returns the connection to it.

    `linger`: see HostTask. Raises UnreachableError for a run that cannot be trained from here.
    """
    settings, name = run.info.settings, short_name(run.path)
    if settings.device == "imported":
        raise UnreachableError(
            f"{run.path} was imported, and cannot be trained: gdtui watch {name}"
        )
    if settings.is_script:
        raise UnreachableError(
            f"{run.path} has ended, and a script trained it ({clean(settings.problem)}): run that "
            f"again to train; gdtui watch {name} shows the run"
        )
    if is_file(settings.problem):
        raise UnreachableError(
            f"{run.path} has ended, and trained a problem in a Python file, which is run only if "
            f"you name it: gdtui resume {name} --problem {clean(settings.problem)} goes on with "
            f"it, gdtui watch {name} shows it"
        )
    host = HostProcess()  # a fork, which must not inherit the lock
    try:
        run.hold()
    except RunDirectoryError as error:
        host.close()
        raise UnreachableError(f"{error}{holder(run.path)}; gdtui watch {name} shows it") from None
    host.begin(run, HostTask(linger, is_reopened=True))
    return Channel(host.link, host.pid, __version__)


def holder(path: Path) -> str:
    """The process that trains the run, in brackets; empty if it has left no note."""
    for note in read_notes(path):
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(note.began))
        return f" (process {note.pid} on {clean(note.host)} since {began})"
    return ""
