"""The hosts of stored runs: which process trains a run, and how many screens are connected."""

from pathlib import Path
from typing import Final

import msgspec

from engine.session.host.client import HostError, HostLink
from engine.session.host.note import HostNote, read_notes
from engine.session.host.processes import is_alive
from engine.session.host.protocol import Welcome
from gdtui import __version__

_PATIENCE: Final = 0.5
"""Seconds that a host gets to answer; a list of runs must not wait long for one that is stopped."""


class HostState(msgspec.Struct, frozen=True, kw_only=True):
    """The process that hosts a run, or the processes of scripts that share it."""

    host: str
    """Name of its machine."""
    pid: int
    """The one that began last."""
    others: tuple[int, ...] = ()
    """Processes that host other variants of the run on that machine."""
    viewers: int | None = None
    """Screens connected to it; None if it does not answer, or runs on another machine."""
    has_ended: bool = False
    """True if training has ended, and the host waits for commands."""


def host_of(run: Path) -> HostState | None:
    """The host of a run that is training; None if the run has none, e.g. in an older version."""
    notes = read_notes(run)
    here = [note for note in notes if note.is_here]
    if not (chosen := [note for note in here if is_alive(note.pid)] or here[:1]):
        chosen = [note for note in notes if note.is_elsewhere]
        chosen = [note for note in chosen if note.host == chosen[0].host]
    if not chosen:
        return None
    answers = [_welcome(run, note) if note.is_here else None for note in chosen]
    welcomes = [each for each in answers if each is not None]
    return HostState(
        host=chosen[0].host,
        pid=chosen[0].pid,
        others=tuple(dict.fromkeys(note.pid for note in chosen if note.pid != chosen[0].pid)),
        viewers=max((each.viewers for each in welcomes), default=None),
        has_ended=all(each is not None and each.has_ended for each in answers),
    )


def _welcome(run: Path, note: HostNote) -> Welcome | None:
    try:
        link = HostLink(run, note, __version__, patience=_PATIENCE)
    except HostError:
        return None
    link.close()
    return link.welcome
