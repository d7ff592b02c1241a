"""The work that a host serves: a session, or work without commands, such as a sweep."""

from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable

from engine.log.commands import AnyCommand
from engine.log.directory import RunDirectory
from engine.log.records import CommandSent
from engine.settings import RunSettings, VariantSettings


class Hosted(Protocol):
    """The work of a host, as far as its clients see it."""

    @property
    def run(self) -> RunDirectory:
        """The directory where the host leaves its note."""

    @property
    def epochs(self) -> int:
        """Epochs to train in total."""

    @property
    def wanted(self) -> Mapping[str, VariantSettings]:
        """The latest settings requested for each variant that takes commands."""

    def resume(self) -> None:
        """Resume all variants, if a client that paused them has gone."""


class OrderError(Exception):
    """Commands that were not sent to any variant; the message says why."""


@runtime_checkable
class TakesOrders(Hosted, Protocol):
    """Work that decides itself which commands it obeys, such as a loop in a user's script."""

    def obey(self, commands: Mapping[str, AnyCommand]) -> tuple[CommandSent, ...]:
        """Accept the commands; returns them as they were accepted.

        Raises OrderError before any is accepted.
        """


class HostedWork:
    """Work that clients can watch and end, but not command."""

    wanted: Final[Mapping[str, VariantSettings]] = {}

    def __init__(self, run: RunDirectory) -> None:
        """`run`: its directory and variants; no run need be there."""
        self.run = run

    @property
    def epochs(self) -> int:
        return self._settings.epochs

    @property
    def _settings(self) -> RunSettings:
        return self.run.info.settings

    def resume(self) -> None:
        """Do nothing: no client can pause it."""
