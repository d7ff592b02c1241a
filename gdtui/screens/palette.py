"""The command palette's commands: the table of keys, by name."""

from textual.command import DiscoveryHit, Hit, Hits, Provider

from gdtui.keys import TABLE
from gdtui.stroke import Entry, Stroke


class KeyCommands(Provider):
    """Every key, found by what it does."""

    async def discover(self) -> Hits:
        for entry, stroke in _commands():
            yield DiscoveryHit(_named(stroke), self._press(stroke), help=entry.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for entry, stroke in _commands():
            if (score := matcher.match(stroke.title)) > 0:
                yield Hit(score, matcher.highlight(stroke.title), self._press(stroke), help=entry.help)

    def _press(self, stroke: Stroke):  # type: ignore[no-untyped-def]
        app = self.app

        async def press() -> None:
            await app.run_action(stroke.action)

        return press


def _named(stroke: Stroke) -> str:
    return stroke.title


def _commands() -> list[tuple[Entry, Stroke]]:
    return [(entry, stroke) for entry in TABLE if entry.id != "palette" for stroke in entry.strokes]
