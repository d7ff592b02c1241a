"""The bottom line: the keys that make sense now, as many as fit. A click presses one."""

from collections.abc import Iterator

from textual import events
from textual.content import Content

from gdtui.keys.footer import GAP, FooterState, footer_entries
from gdtui.keys.stroke import Entry
from gdtui.widgets.line import Line


class Footer(Line):
    """Shows the keys for the state of the run."""

    def __init__(self, state: FooterState, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._state = state
        self._actions: list[tuple[range, str]] = []
        """The columns of each key, and its action."""

    def on_mount(self) -> None:
        self._fill()

    def on_resize(self, _event: events.Resize) -> None:
        self._fill()

    def show_keys(self, state: FooterState) -> None:
        """Show the keys for this state from now on."""
        if state != self._state:
            self._state = state
            self._fill()

    def _fill(self) -> None:
        entries = footer_entries(self.content_size.width, self._state)
        self._actions = [*_actions(entries)]
        self.show(Content(" " * GAP).join(map(_content, entries)))

    async def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        at = event.get_content_offset_capture(self).x
        for columns, action in self._actions:
            if at in columns:
                await self.app.run_action(action, self.screen)
                return


def _content(entry: Entry) -> Content:
    keys = Content.styled(entry.keys, "bold $footer-key-foreground")
    return keys + Content.styled(f" {entry.label}", "$quiet")


def _actions(entries: list[Entry]) -> Iterator[tuple[range, str]]:
    """The columns and the action of each key; a label belongs to the last key before it."""
    start = 0
    for entry in entries:
        end = start + len(entry.keys) + 1 + len(entry.label)
        at = start
        for stroke in () if entry.shown else entry.strokes[:-1]:
            yield range(at, at + len(stroke.shown) + 1), stroke.action
            at += len(stroke.shown) + 1
        yield range(at, end), entry.strokes[-1].action
        start = end + GAP
