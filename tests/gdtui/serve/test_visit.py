"""The app of a visit: everything can be seen, nothing can be started or written."""

from pathlib import Path

import pytest
from app_bench import Bench

from gdtui.serve.visit import REFUSAL, VisitApp
from gdtui.state.overlay.watch_source import WatchSource


class NotedApp(VisitApp):
    """Keeps its notes."""

    noted: list[str]

    def notify(self, message: str, **options: object) -> None:  # type: ignore[override]
        self.noted.append(message)


@pytest.fixture
def app(tmp_path: Path) -> NotedApp:
    bench = Bench(tmp_path / "run")
    bench.begin()
    for name in bench.names:
        bench.train(name, [0.8 - i / 250 for i in range(100)])
    app = NotedApp(bench.run, None, source=WatchSource(bench.run))
    app.noted = []
    return app


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


async def test_keys_with_effects_are_refused(app: NotedApp, tmp_path: Path) -> None:
    before = files(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        app.main.tick(figures=True)
        app.noted.clear()
        for key in ("p", "v", "X", "W", "k"):
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is app.main
        assert set(app.noted) == {REFUSAL}
    assert files(tmp_path) == before


async def test_the_palette_refuses_them_too(app: NotedApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        app.main.tick(figures=True)
        app.noted.clear()
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"Sweep", "enter")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is app.main
        assert REFUSAL in app.noted


async def test_what_only_shows_is_shown(app: NotedApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        app.main.tick(figures=True)
        app.noted.clear()
        await pilot.press("question_mark")
        await pilot.pause()
        assert app.screen is not app.main
        await pilot.press("escape", "2", "z")
        await pilot.pause()
        assert app.main.viewer.view.focus
        assert REFUSAL not in app.noted
