"""The console pane: it follows its file while it is shown."""

from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from gdtui.widgets.console import ConsolePane


class Shown(App[None]):
    """A console pane that is hidden at first, as on the main screen."""

    CSS = "#console { display: none; height: 5; }"

    def compose(self) -> ComposeResult:
        yield ConsolePane(id="console")


async def until(pilot: Pilot[None], pane: ConsolePane, words: str) -> None:
    for _ in range(500):
        if words in str(pane.render()):
            return
        await pilot.pause(0.01)
    raise AssertionError(f"never came: {words}")


async def test_it_follows_its_file_whenever_it_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "console"
    path.write_text("one\n")
    async with Shown().run_test(size=(40, 10)) as pilot:
        pane = pilot.app.query_one(ConsolePane)
        for said, is_shown in [("one", True), ("two", True), ("three", False), ("four", True)]:
            pane.display = is_shown
            pane.show(path)
            await pilot.pause()
            with path.open("a") as file:
                file.write(f"{said}!\n")
            if is_shown:
                await until(pilot, pane, f"{said}!")
        assert "three!" in str(pane.render())
