"""The command palette's commands: the table of keys, by name."""

from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from gdtui.keys.stroke import Entry, Stroke
from gdtui.keys.table import reachable

if TYPE_CHECKING:
    from gdtui.app import GdtuiApp


class KeyCommands(Provider):
    """Every key, found by what it does."""

    async def discover(self) -> Hits:
        for entry, stroke in self._commands():
            yield DiscoveryHit(_named(stroke), self._press(stroke), help=entry.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for entry, stroke in self._commands():
            if (score := matcher.match(stroke.title)) > 0:
                yield Hit(score, matcher.highlight(stroke.title), self._press(stroke), help=entry.help)

    def _commands(self) -> list[tuple[Entry, Stroke]]:
        run = cast("GdtuiApp", self.app).run_directory.info.settings
        return [(entry, stroke) for entry, stroke in reachable(len(run.variants)) if entry.id != "palette"]

    def _press(self, stroke: Stroke):  # type: ignore[no-untyped-def]
        app = self.app

        async def press() -> None:
            await app.run_action(stroke.action)

        return press


def _named(stroke: Stroke) -> str:
    return stroke.title
