"""The connections to all hosts of a run: scripts with one run directory are a host each.

Hosts join and leave at any time, in order or killed; the others are not concerned.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.commands import AnyCommand
from engine.log.records import CommandSent
from engine.session.host.client import HostError, HostLink, find_host
from engine.session.host.note import HostNote, read_notes
from engine.settings import VariantSettings

if TYPE_CHECKING:
    from engine.session.host.resources.terminal import LentTerminal

_LOOK_SECONDS: Final = 1.0
"""Seconds between two looks for hosts that have joined."""
_PATIENCE: Final = 0.1
"""Seconds that a host that has joined may take to answer, since a screen waits for it."""
_MOST_TRIES: Final = 10
"""Attempts to reach a host before it is left alone."""


class HostLinks:
    """Connections to the hosts of a run on this machine, those that join later included."""

    def __init__(
        self,
        run: Path,
        version: str,
        *,
        is_viewer: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect to every host that answers.

        Raises HostError if none does, ElsewhereError if all are on other machines.
        """
        self._run, self._version, self._is_viewer, self._clock = run, version, is_viewer, clock
        self.links: list[HostLink] = []
        """In the order in which their hosts began; those whose host has ended are kept."""
        self._tries: dict[str, int] = {}
        """Failed attempts, by socket."""
        self._terminal: LentTerminal | None = None
        self._look_at = clock() + _LOOK_SECONDS
        reason: HostError | None = None
        for note in self._notes():
            try:
                self.links.append(HostLink(run, note, version, is_viewer=is_viewer))
            except HostError as error:
                reason = error
        if not self.links:
            find_host(run)
            raise reason or HostError("it has no host")

    def _notes(self) -> list[HostNote]:
        """The notes of hosts on this machine, the oldest first."""
        return [note for note in reversed(read_notes(self._run)) if note.is_here]

    @property
    def elsewhere(self) -> list[HostNote]:
        """The hosts on other machines, which take no commands from here."""
        return [note for note in read_notes(self._run) if note.is_elsewhere]

    @property
    def living(self) -> list[HostLink]:
        """The connections that last."""
        return [link for link in self.links if not link.lost]

    @property
    def settings(self) -> dict[str, VariantSettings]:
        """The latest settings requested for each variant with a host when it was greeted."""
        return {
            name: settings
            for link in self.living
            for name, settings in link.welcome.settings.items()
        }

    def look(self) -> list[HostLink]:
        """Connect to hosts that have joined since the last call; returns the new connections."""
        if (now := self._clock()) < self._look_at:
            return []
        self._look_at = now + _LOOK_SECONDS
        known = {link.note.socket for link in self.links}
        return [
            link
            for note in self._notes()
            if note.socket not in known and (link := self._try(note)) is not None
        ]

    def _try(self, note: HostNote) -> HostLink | None:
        tries = self._tries.get(note.socket, 0)
        if tries >= _MOST_TRIES:
            return None
        try:
            link = HostLink(
                self._run, note, self._version, is_viewer=self._is_viewer, patience=_PATIENCE
            )
        except HostError:
            self._tries[note.socket] = tries + 1
            return None
        self.links.append(link)
        if self._terminal is not None:
            link.lend_terminal(self._terminal)
        return link

    def order(self, commands: Mapping[str, AnyCommand]) -> tuple[CommandSent, ...]:
        """Send commands, each to the host of its variant, and wait for the answers.

        A host that refuses does not keep the others from obeying: HostError is raised at the end.
        Variants without a host are left out, unless the commands concern no others.
        """
        sent: list[CommandSent] = []
        refusals: list[str] = []
        reached = False
        for link in self.living:
            mine = {name: each for name, each in commands.items() if name in link.welcome.settings}
            if not mine:
                continue
            reached = True
            try:
                sent += link.order(mine)
            except HostError as error:
                refusals.append(self.about(link, str(error)))
        if not reached:
            raise HostError(f"no process trains {', '.join(commands)} any more")
        if refusals:
            done = ", ".join(each.variant for each in sent)
            raise HostError("; ".join(refusals) + (f"; sent to {done}" if done else ""))
        return tuple(sent)

    def about(self, link: HostLink, text: str) -> str:
        """A text about one host, with its variants if there are several hosts."""
        return text if len(self.links) == 1 else f"{names_of(link)}: {text}"

    def lend_terminal(self, terminal: "LentTerminal") -> None:
        """Lend this terminal to every host: any of them may be the last one."""
        self._terminal = terminal
        for link in self.living:
            link.lend_terminal(terminal)

    @property
    def gone(self) -> HostLink:
        """The connection to the host that crashed or was killed last; the newest if none was."""
        return next(
            (link for link in reversed(self.links) if not link.has_ended_in_order), self.links[-1]
        )

    @property
    def lost(self) -> str:
        """Why the last connection has ended; empty while any lasts."""
        return "" if self.living else self.links[-1].lost

    @property
    def has_ended_in_order(self) -> bool:
        """True if every host has said that it ends, or has agreed to end."""
        return all(link.has_ended_in_order for link in self.links)

    def close(self) -> None:
        """Disconnect from all. Safe to repeat."""
        for link in self.links:
            link.close()


def names_of(link: HostLink) -> str:
    """The variants that a host trains, as a message names them."""
    return ", ".join(link.welcome.settings) or f"process {link.pid}"
