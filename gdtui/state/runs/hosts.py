"""The hosts of stored runs: which process trains a run, and how many screens are connected."""

from pathlib import Path
from typing import Final

import msgspec

from engine.session.host.client import HostError, HostLink
from engine.session.host.note import HostNote, read_notes
from engine.session.host.protocol import Welcome
from gdtui import __version__

_PATIENCE: Final = 0.5
"""Seconds that a host gets to answer; a list of runs must not wait long for one that is stopped."""


class HostState(msgspec.Struct, frozen=True, kw_only=True):
    """The process that hosts a run."""

    host: str
    """Name of its machine."""
    pid: int
    viewers: int | None = None
    """Screens connected to it; None if it does not answer, or runs on another machine."""
    has_ended: bool = False
    """True if training has ended, and the host waits for commands."""


def host_of(run: Path) -> HostState | None:
    """The host of a run that is training; None if the run has none, e.g. in an older version."""
    notes = read_notes(run)
    here = [note for note in notes if note.is_here]
    elsewhere = [note for note in notes if note.is_elsewhere]
    for note in (*here, *elsewhere):
        welcome = _welcome(run, note) if note.is_here else None
        if welcome is None:
            return HostState(host=note.host, pid=note.pid)
        return HostState(
            host=note.host,
            pid=note.pid,
            viewers=welcome.viewers,
            has_ended=welcome.has_ended,
        )
    return None


def _welcome(run: Path, note: HostNote) -> Welcome | None:
    try:
        link = HostLink(run, note, __version__, patience=_PATIENCE)
    except HostError:
        return None
    link.close()
    return link.welcome
