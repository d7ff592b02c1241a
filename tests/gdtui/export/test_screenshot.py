"""Stills: what `p` writes, where, and that it neither overwrites nor leaves halves."""

import os
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from app_bench import Bench, state
from canary import CanaryTree
from shown import text_of
from textual.pilot import Pilot

from engine.log.records import State
from gdtui.app import GdtuiApp
from gdtui.export import screenshot
from gdtui.export.screenshot import StillsError, write
from gdtui.theme import THEMES

ENDS = ["overlay.html", "overlay.txt", "screen.svg", "screen.txt"]
PNG = b"\x89PNG\r\n\x1a\n"
BRAILLE = re.compile("[⠁-⣿]")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    bench = Bench(tmp_path / "run")
    bench.begin(epochs=1)
    for name in bench.names:
        bench.train(name, [0.8 - i / 250 for i in range(100)])
        bench.write(name, state(State.PAUSED, 20.0))  # the clock stands
    return bench


@pytest.fixture(autouse=True)
def plotless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib, as most people have it, unless the test is for others."""
    if request.node.get_closest_marker("integration") is None:
        monkeypatch.setitem(sys.modules, "gdtui.plot.drawing", None)


async def press(pilot: Pilot[None], *keys: str) -> None:
    app = pilot.app
    assert isinstance(app, GdtuiApp)
    app.main.tick(figures=True)
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()


def saved(folder: Path) -> dict[str, str]:
    """Contents by the end of the name."""
    found = {}
    for path in sorted(folder.iterdir()):
        match = re.fullmatch(r"\d{8}-\d{6}-epoch\d+-(.+)", path.name)
        assert match, path.name
        found[match[1]] = path.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_the_screen_and_the_overlay_are_saved_in_the_run_directory(
    bench: Bench, size: tuple[int, int]
) -> None:
    app = bench.app()
    async with app.run_test(size=size, notifications=True) as pilot:
        await press(pilot)
        shown = text_of(app)
        await press(pilot, "p")
        (note,) = app.note_texts
    folder = bench.run.path / "stills"
    files = saved(folder)
    assert list(files) == ENDS
    assert files["screen.txt"].split("\n") == [*(row.rstrip() for row in shown.split("\n")), ""]
    ElementTree.fromstring(files["screen.svg"])
    text = files["overlay.txt"]
    assert "\x1b" not in text
    assert BRAILLE.search(text)
    for number, name in enumerate(bench.names, start=1):
        assert f"{number} {name}" in text
        assert text.count(str(number), text.index("┤")) >= 2, "in the legend and along its line"
    for part in ("smoothed over ¼ epoch", "samples", "0.8"):
        assert part in text
    assert max(map(len, text.split("\n"))) <= screenshot.WIDTH
    assert str(folder) in note


@pytest.mark.parametrize("theme", THEMES)
async def test_the_page_stands_alone_in_the_themes_colours(bench: Bench, theme: str) -> None:
    app = GdtuiApp(bench.run, bench.controls, fps=4, theme=theme)
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, "p")
    page = saved(bench.run.path / "stills")["overlay.html"]
    assert f"background: {THEMES[theme].background};" in page
    assert "http" not in page
    assert "src=" not in page
    assert "rgb(255,255,255);" not in page.replace("color:rgb(255,255,255);", ""), "no box of white"
    for place in (1, 2, 3):
        colour = THEMES[theme].variables[f"variant-{place}"]
        assert f"color:rgb({','.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})" in page
    assert page.count("<pre") == page.count("</pre>") == 1


async def test_with_a_variant_selected_it_is_its_chart(bench: Bench) -> None:
    app = bench.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, "2", "p")
    files = saved(bench.run.path / "stills")
    assert set(files) == {"2-mini-batch.txt", "2-mini-batch.html", "screen.svg", "screen.txt"}
    assert "2 Mini-batch · every batch" in files["2-mini-batch.txt"]
    assert "SGD" not in files["2-mini-batch.txt"]


@pytest.mark.integration
@pytest.mark.parametrize("key", ["0", "2"])
async def test_with_matplotlib_the_chart_is_a_png_too(bench: Bench, key: str) -> None:
    pytest.importorskip("matplotlib")
    app = bench.app()
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await press(pilot, key, "p")
        (note,) = app.note_texts
    (png,) = (bench.run.path / "stills").glob("*.png")
    assert png.read_bytes().startswith(PNG)
    assert png.name.rpartition("-")[2] in note or "2-mini-batch.png" in note


async def test_before_the_first_loss_there_is_something_to_save_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    app = bench.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, "p", "1", "p")
    assert len(list((tmp_path / "run" / "stills").iterdir())) == 8


async def test_somebody_elses_run_that_may_not_be_written_leaves_them_here(bench: Bench) -> None:
    (bench.run.path / "stills").write_text("in the way")
    app = bench.app(watching=True)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await press(pilot, "p")
        (note,) = app.note_texts
    assert list(saved(Path())) == ENDS
    assert f"in {Path().absolute()}" in note


async def test_that_nothing_could_be_saved_is_one_line(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **options: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(screenshot, "write_all", fail)
    app = bench.app()
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await press(pilot, "p")
        (note,) = app.notes
    assert note.severity == "error"
    assert note.message.startswith("nothing was saved: ")
    assert note.message.count("No space left on device") == 2
    assert "\n" not in note.message


# --- Writing --------------------------------------------------------------------------------------


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    for text in "abc":
        write([tmp_path], "now-epoch1", {"screen.txt": text, "2-sgd.txt": text})
    assert {path.name: path.read_text() for path in tmp_path.glob("*screen*")} == {
        "now-epoch1-screen.txt": "a",
        "now-epoch1_2-screen.txt": "b",
        "now-epoch1_3-screen.txt": "c",
    }
    assert len(list(tmp_path.iterdir())) == 6


def test_of_a_set_that_cannot_be_completed_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(StillsError, match="nothing was saved"):
        write([tmp_path / "one"], "s", {"a.txt": "a", "no/such/folder.txt": "b"})
    assert list((tmp_path / "one").iterdir()) == []


def test_a_folder_of_stills_that_is_a_link_gets_none(tmp_path: Path) -> None:
    """Somebody else's run may have one that leads to a folder of the user's."""
    canary = CanaryTree(tmp_path / "outside")
    (tmp_path / "here").mkdir()
    (tmp_path / "stills").symlink_to(canary.folder)
    told = write([tmp_path / "stills", tmp_path / "here"], "s", {"a.txt": "a"})
    assert told.endswith(f"in {tmp_path / 'here'}")
    canary.check()


def test_text_is_read_out_of_an_svg_cell_by_cell() -> None:
    path = "url(#t-line-{row})"
    row = f'<text class="r-1" x="{{x}}" y="1" textLength="2" clip-path="{path}">{{text}}</text>'
    svg = row.format(x=0, row=0, text="a&#160;&lt;b") + row.format(x=12.2 * 3, row=2, text="⣿é")
    assert screenshot.text_of(svg, 5, 3) == "a <b\n\n   ⣿é\n"
    assert screenshot.text_of(svg, 2, 1) == "a\n", "never beyond the screen"
