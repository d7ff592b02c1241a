"""A viewer that commands a tracked training, in the training's own process."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from engine.log.commands import AnyCommand, Change
from engine.session.host.client import HostLink, find_host


class LoopClient:
    """Orders for the first variant of the run in `path`."""

    def __init__(self, path: Path) -> None:
        self._link = HostLink(path, find_host(path), "0", is_viewer=True)
        self._name, self._settings = next(iter(self._link.welcome.settings.items()))

    def order(self, command: AnyCommand) -> None:
        """Send a command; HostError if it is refused."""
        self._link.order({self._name: command})

    def change(self, **settings: Any) -> None:
        """Order other settings."""
        wanted = replace(self._settings, **settings)
        self.order(Change(id=0, settings=wanted))
        self._settings = wanted

    def end(self) -> None:
        """Ask for the end of the training."""
        self._link.end()

    def close(self) -> None:
        self._link.close()
