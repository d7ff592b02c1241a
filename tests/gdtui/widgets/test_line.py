"""Text that changes often: only changes are sent; the screen equals what Textual would show."""

import pytest
from sent import Watched
from shown import ListenedApp
from textual.app import ComposeResult
from textual.content import Content
from textual.selection import Selection

from gdtui.terminal import partial_update
from gdtui.widgets.line import Line


class OneLine(ListenedApp):
    """A screen with nothing but a line, two rows high."""

    CSS = "Line { width: 30; height: 2; background: $panel; } Line.-loud { color: $error; }"

    def __init__(self) -> None:
        super().__init__()
        partial_update.install()

    def compose(self) -> ComposeResult:
        yield Line()

    @property
    def line(self) -> Line:
        return self.query_one(Line)


def figures(loss: str, updates: str) -> Content:
    rows = [
        Content.styled(f"loss {loss}", "bold") + Content("  and more"),
        Content.styled(updates, "$error"),
    ]
    return Content("\n").join(rows)


async def test_only_the_words_that_changed_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    app = OneLine()
    async with app.run_test(size=(40, 4)) as pilot:
        watched = Watched(app, pilot)
        app.line.show(figures("0.50", "12 updates"))
        await watched.check()
        watched.take_text()
        for loss, updates, sent in [
            ("0.50", "12 updates", []),
            ("0.49", "12 updates", ["loss 0.49"]),
            ("0.49", "13 updates", ["13 updates"]),
            ("0.4", "1,313 updates", ["loss 0.4  and more ", "1,313 updates"]),
        ]:
            app.line.show(figures(loss, updates))
            await watched.check()
            assert [text.rstrip() for text in watched.take_text()] == [
                text.rstrip() for text in sent
            ]


@pytest.mark.parametrize("no_color", [False, True])
async def test_no_cell_is_stale_whatever_happens_to_it(
    monkeypatch: pytest.MonkeyPatch, no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    app = OneLine()
    async with app.run_test(size=(40, 4)) as pilot:
        watched = Watched(app, pilot)
        for step in (
            lambda: setattr(app, "theme", "textual-light"),
            lambda: app.line.add_class("-loud"),
            lambda: setattr(app.line.styles, "width", 12),  # it wraps
            lambda: setattr(app.line.styles, "width", 34),
            lambda: app.screen.__setattr__("selections", {app.line: Selection(None, None)}),
            lambda: app.screen.clear_selection(),
        ):
            app.line.show(figures("0.5", "12 updates"))
            await watched.check()
            step()
            await watched.check()
            app.line.show(figures("0.25", "12 updates"))
            await watched.check()
            app.line.show(figures("0.125", "1 update"))
            await watched.check()
        app.line.show(Content("one\ntwo\nthree rows"))
        await watched.check()


async def test_what_changes_twice_before_it_is_sent_is_sent_as_it_is_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = OneLine()
    async with app.run_test(size=(40, 4)) as pilot:
        watched = Watched(app, pilot)
        app.line.show(figures("0.5", "12 updates"))
        await watched.check()
        app.line.show(figures("0.5", "13 updates"))
        app.line.show(figures("0.4", "12 updates"))
        await watched.check()
