"""The screen that shows a variant as code: what it shows, copies and saves."""

from pathlib import Path

from app_bench import Bench, N
from shown import text_of

from engine.settings import Variant
from gdtui.lesson.code import recipe


async def test_the_selected_variant_is_shown_as_code_and_another_by_key(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=(120, 60)) as pilot:
        app.main.tick()
        await pilot.press("2", "k")
        await pilot.pause()
        assert "Mini-batch as code" in text_of(app)
        assert "--batch-sizes 64" in text_of(app)
        assert "BATCH = 64" in text_of(app)
        await pilot.press("right")
        await pilot.pause()
        assert "BATCH = 1 " in text_of(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "as code" not in text_of(app)


async def test_the_loop_is_copied_and_saved_as_it_is_shown(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    app = bench.app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.main.tick()
        await pilot.press("k", "c", "p")
        await pilot.pause()
        first = app.main.viewer.store.states[0]
        variant = Variant(name=first.tally.name, settings=first.wanted)
        wanted = recipe.loop(bench.run.info.settings, variant, N)
        assert app.clipboard == wanted
        [saved] = (bench.run.path / "code").iterdir()
        assert saved.read_text() == wanted
