"""The command palette's commands in the order of the key table; Textual would sort by name.

The app supplies the commands (`get_system_commands`).
"""

from typing import Final

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider

_KEY: Final = 11
"""Cells of the column of keys."""


class KeyCommands(Provider):
    """Every key, searched by itself and by its title."""

    async def discover(self) -> Hits:
        for title, key, press, _ in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(_row(key, title), press, text=title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, key, press, _ in self.app.get_system_commands(self.screen):
            score = max(matcher.match(title), matcher.match(key))
            if score > 0:
                yield Hit(score, _row(key, title), press, text=title)


def _row(key: str, title: str) -> Text:
    """A key and what it does, in columns."""
    return Text.assemble((f"{key:>{_KEY}}  ", "bold"), title)
