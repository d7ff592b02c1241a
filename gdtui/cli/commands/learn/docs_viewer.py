"""The viewer of `gdtui docs`: one page at a time, with links, a way back and an outline.

A small separate Textual app. It knows about Markdown files, not about runs.
"""

import gc
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Markdown, MarkdownViewer, Static

from gdtui.theme import THEMES, themes

_KEYS: Final = "↑ ↓ space b scroll · backspace back · o outline · t theme · q quit"


class LinkedPages(MarkdownViewer):
    """Markdown that follows links to other pages of the same folder."""

    def __init__(self) -> None:
        super().__init__(show_table_of_contents=False, open_links=False)
        self._left_at: dict[Path, float] = {}
        """The scroll position of each page when another was opened."""

    async def open(self, location: str | Path) -> None:
        """Show a page, or a heading of one, e.g. `guide.md#keys`."""
        self._left_at[self.navigator.location] = self.scroll_y
        await self.go(location)
        _, anchor = Markdown.sanitize_location(str(location))
        if anchor:
            self.call_after_refresh(self.document.goto_anchor, anchor)
        else:
            self.scroll_home(animate=False)

    async def back(self) -> None:
        """Return to the previous page, at the position where it was left."""
        await super().back()
        left_at = self._left_at.get(self.navigator.location, 0)
        self.call_after_refresh(self.scroll_to, y=left_at, animate=False)

    async def on_markdown_link_clicked(self, message: Markdown.LinkClicked) -> None:
        """Follow a link to a page; copy a URL, as opening it might start a browser here."""
        message.stop()
        message.prevent_default()
        if "://" in message.href:
            self.app.copy_to_clipboard(message.href)
            self.notify(f"Copied {message.href}", markup=False)
        else:
            await self.open(message.href)


TOPIC_KEYS: Final = {**{key: key for key in "1234567890"}, "-": "minus", "=": "equals_sign"}
"""The keys that open the topics, in order, with Textual's names of them."""


class DocsViewer(App[None]):
    """The pages of the documentation."""

    TITLE = "gdtui docs"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: $background; color: $foreground; }
    #topics, #keys { padding: 0 1; background: $panel; }
    #topics { dock: top; height: auto; padding: 0; }
    #keys { dock: bottom; height: 1; color: $quiet; text-wrap: nowrap; }
    LinkedPages { background: $background; scrollbar-size-vertical: 1; }
    LinkedPages > Markdown { background: $background; max-width: 104; padding: 0 1; }
    MarkdownFence > Label { padding: 1 1; }
    LinkedPages > MarkdownTableOfContents { width: 36; max-width: 45%; }
    Toast { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "quit", "Quit", show=False),
        Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True),
        Binding("down,j", "scroll('relative', 1)", show=False),
        Binding("up,k", "scroll('relative', -1)", show=False),
        Binding("pagedown,space", "scroll('page_down')", show=False),
        Binding("pageup,b", "scroll('page_up')", show=False),
        Binding("home,g", "scroll('home')", show=False),
        Binding("end,G", "scroll('end')", show=False),
        Binding("backspace,left", "back", show=False),
        Binding("o", "outline", show=False),
        Binding("t", "theme", show=False),
        *(
            Binding(name, f"topic({place})", show=False)
            for place, name in enumerate(TOPIC_KEYS.values(), start=1)
        ),
    ]

    def __init__(self, pages: Mapping[str, Path], topic: str, theme: str = "dark") -> None:
        """`pages`: the files by topic, in the order of TOPIC_KEYS."""
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") is not None else None)
        self._pages, self._topic = pages, topic
        for each in themes(self.console.color_system, no_color=self.no_color).values():
            self.register_theme(each)
        self.theme = THEMES[theme].name

    @property
    def viewer(self) -> LinkedPages:
        """The page on the screen."""
        return self.query_one(LinkedPages)

    def compose(self) -> ComposeResult:
        yield Static(id="topics")
        yield LinkedPages()
        yield Static(_KEYS, id="keys")

    async def on_mount(self) -> None:
        self.call_after_refresh(self._collect_garbage_from_now_on)
        await self.viewer.open(self._pages[self._topic])

    def _collect_garbage_from_now_on(self) -> None:
        if not gc.isenabled():  # as the command left it
            gc.freeze()
            gc.enable()

    def on_markdown_viewer_navigator_updated(self) -> None:
        """Highlight the topic of the page now shown."""
        self._write_topics()

    def on_resize(self) -> None:
        """Fit the topics into the width available now."""
        if self.query("#topics"):
            self._write_topics()

    def _write_topics(self) -> None:
        path, _ = Markdown.sanitize_location(str(self.viewer.navigator.location))
        rows = _topic_rows(list(self._pages), path.stem, self.size.width)
        self.query_one("#topics", Static).update(rows)

    async def action_topic(self, place: int) -> None:
        """Open a page by its number in the topic bar."""
        if place <= len(self._pages):
            await self.viewer.open(list(self._pages.values())[place - 1])

    async def action_back(self) -> None:
        """Return to the previous page."""
        await self.viewer.back()

    def action_scroll(self, how: str, lines: int = 0) -> None:
        """Scroll the page; `how` is the suffix of a Textual `scroll_*` method."""
        move = getattr(self.viewer, f"scroll_{how}")
        (partial(move, y=lines) if lines else move)(animate=False)

    def action_outline(self) -> None:
        """Show or hide the headings of the page."""
        self.viewer.show_table_of_contents = not self.viewer.show_table_of_contents

    def action_theme(self) -> None:
        """Dark, light or high contrast."""
        names = [theme.name for theme in THEMES.values()]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]

    def action_interrupt(self) -> None:
        """Exit with 130, as a command interrupted by Ctrl+C does."""
        self.exit(return_code=130)


def _topic_rows(names: list[str], current: str, width: int) -> Content:
    """The topics with the keys that open them, in as many rows as that takes.

    The current one stands out.
    """
    rows: list[list[Content]] = [[]]
    for key, name in zip(TOPIC_KEYS, names, strict=False):
        part = Content.assemble(
            (f"{key} ", "bold $footer-key-foreground"),
            (name, "bold reverse" if name == current else ""),
        )
        if rows[-1] and Content(" ").join([*rows[-1], part]).cell_length > width:
            rows.append([])
        rows[-1].append(part)
    return Content("\n").join(Content(" ").join(row) for row in rows)
