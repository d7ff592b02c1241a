"""An imported run shows no figure that its file does not tell."""

import re
from pathlib import Path

import pytest
from app_bench import NARROW, WIDE
from shown import ObservedApp, text_of

from engine.log.directory import RunDirectory
from gdtui.export.csv_import.fill import made_up
from gdtui.export.csv_import.write import import_csv
from gdtui.lesson import explain
from gdtui.state.overlay.watch_source import WatchSource
from gdtui.view.text.caveats.imported import IMPORTED

BARE = "variant,batch,loss\n" + "".join(f"mine,{batch},{1 / batch}\n" for batch in range(1, 51))
WHOLE = "variant,batch,loss,epoch,batch_size,update,lr,seconds\n" + "".join(
    f"mine,{batch},{1 / batch},{1 + batch // 26},16,{batch},0.25,{batch / 10}\n"
    for batch in range(1, 51)
)


def opened(path: Path, text: str) -> ObservedApp:
    """The app on a run imported from this CSV, watched."""
    (path / "losses.csv").write_text(text)
    import_csv(str(path / "losses.csv"), path / "run", "0")
    run = RunDirectory.open(path / "run")
    return ObservedApp(run, None, source=WatchSource(run), fps=4)


async def pages(app: ObservedApp, size: tuple[int, int], keys: str) -> dict[str, str]:
    """The screen, and what each of these keys opens."""
    shown = {}
    async with app.run_test(size=size) as pilot:
        app.main.tick(figures=True)
        await pilot.pause()
        await pilot.pause()
        app.main.hide_summary()
        shown[""] = text_of(app)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
            if key == "V":
                app.screen.draw()  # type: ignore[attr-defined]
                await pilot.pause()
            shown[key] = text_of(app)
            await pilot.press("escape")
            await pilot.pause()
        app.main.viewer.cursor = 20.0
        app.main.tick(figures=True)
        await pilot.pause()
        shown["crosshair"] = text_of(app)
        app.main.viewer.cursor = None
        axes = set()
        for _ in range(3):
            await pilot.press("x")
            axes.add(str(app.main.viewer.view.axis))
        shown["axes"] = " ".join(sorted(axes))
        told = explain.figure_lines(app.main.viewer.store)
        shown["glossary"] = " ".join(f"{figure.name}={value};" for figure, value in told)
    return shown


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_bare_file_shows_no_lr_no_batch_size_no_time_and_no_epochs(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    shown = await pages(opened(tmp_path, BARE), size, "TkV")
    main = shown[""]
    for made in ("lr 0.01", "seed", "epoch", "samples", "/s", "ms/batch", "0.0100", "free"):
        assert made not in main, made
    assert IMPORTED in main or size == NARROW
    assert "50 batches" in main or size == NARROW
    assert "─ batches ─" in main  # the x axis
    assert "0.01" not in shown["T"]
    assert "The file that was imported has no lr" in shown["T"]
    assert "imported from CSV" in shown["k"]
    assert "lr=0.01" not in shown["k"]
    assert "edge of stability" not in shown["V"]
    assert "faint: effective batch" not in shown["V"]
    assert not re.search(r"0\.01(?!\d)", shown["crosshair"])
    assert shown["axes"] == "samples"
    for figure in ("lr", "seconds", "samples", "updates", "batch size", "momentum", "epoch"):
        assert re.search(rf"(^|; ){figure}=;", shown["glossary"]), figure


async def test_what_the_file_tells_is_shown(tmp_path: Path) -> None:
    shown = await pages(opened(tmp_path, WHOLE), WIDE, "TV")
    assert "batch 16 · lr 0.25" in shown[""]
    assert "epoch 2/2" in shown[""]
    assert "800 samples" in shown[""]
    assert "seed" not in shown[""]  # no CSV has one
    assert "from lr 0.25" in shown["T"]
    assert shown["axes"] == "samples seconds updates"
    assert "0.25" in shown["crosshair"]
    assert "lr=0.25;" in shown["glossary"]


def test_what_follows_from_another_column_is_not_made_up() -> None:
    assert made_up({"variant", "batch", "loss"}) == (
        "epoch", "samples", "batch_size", "update", "accumulation_steps", "lr", "seconds",
    )  # fmt: skip
    given = {"samples", "accumulation_steps", "epoch", "lr", "seconds"}
    assert made_up(given) == ()
