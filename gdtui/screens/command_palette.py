"""The command palette's commands in the order of the key table; Textual would sort by name.

The app supplies the commands (`get_system_commands`).
"""

from textual.command import DiscoveryHit, Hit, Hits, Provider


class KeyCommands(Provider):
    """Every key, searched by its description."""

    async def discover(self) -> Hits:
        for title, help_text, press, _ in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(title, press, help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, help_text, press, _ in self.app.get_system_commands(self.screen):
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), press, help=help_text)
