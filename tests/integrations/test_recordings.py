"""Recordings as others read them: asciinema's reader, Pillow, a browser."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gdtui.recording.cast.footage import Footage
from gdtui.recording.emulator.screen import TerminalScreen

pytestmark = pytest.mark.integration
Cli = Callable[..., "subprocess.CompletedProcess[str]"]
STORED = Path(__file__).parents[1] / "stored_runs" / "format-1"
SCRIPT = ("--speed", "100", "--keys", "1s ? 1s escape 4s q", "--size", "100x30")


def footage_of(cast: Path) -> Footage:
    header, *events = map(json.loads, cast.read_text().splitlines())
    frames = tuple((at, sequences) for at, _, sequences in events)
    return Footage(header["width"], header["height"], frames, "")


@pytest.fixture
def recorded(cli: Cli, tmp_path: Path) -> Callable[[str], Path]:
    def record(suffix: str) -> Path:
        path = tmp_path / f"demo{suffix}"
        result = cli("record", "--replay", STORED, *SCRIPT, "-o", path)
        assert (result.returncode, result.stderr) == (0, "")
        return path

    return record


def test_asciinema_reads_a_cast(recorded: Callable[[str], Path]) -> None:
    asciicast = pytest.importorskip("asciinema.asciicast")
    cast = recorded(".cast")
    with asciicast.open_from_url(str(cast)) as read:
        assert (read.version, read.v2_header["width"], read.v2_header["height"]) == (2, 100, 30)
        events = [(at, kind, text) for at, kind, text in read.events()]
    times = [at for at, _, _ in events]
    assert times == sorted(times)
    assert {kind for _, kind, _ in events} == {"o"}
    assert len(events) == len(footage_of(cast).frames)


def test_each_image_of_a_gif_is_the_screen_at_its_time(recorded: Callable[[str], Path]) -> None:
    image_module = pytest.importorskip("PIL.Image")
    from gdtui.recording.output.gif import gif, png
    from gdtui.recording.raster.font import Font
    from gdtui.recording.raster.painter import ScreenPainter

    cast = recorded(".cast")
    footage, font, path = footage_of(cast), Font(None, 11), cast.with_suffix(".gif")
    path.write_bytes(gif(footage, font))
    images = image_module.open(path)
    assert images.size == (font.width * 100, font.height * 30)
    screen = TerminalScreen(footage.columns, footage.rows)
    painter = ScreenPainter(screen, font)
    frames = [sequences for _, sequences in footage.frames if sequences]
    total = 0
    for number, sequences in enumerate(frames[1:]):  # the first only clears the screen
        screen.feed(sequences if number else frames[0] + sequences)
        painter.paint()
        images.seek(number)
        total += images.info["duration"]
        shown = np.array(painter.palette.colours, np.uint8)[painter.pixels]
        assert np.array_equal(np.asarray(images.convert("RGB")), shown)
    assert images.n_frames == len(frames) - 1
    path.with_suffix(".png").write_bytes(png(footage, font))
    still = image_module.open(path.with_suffix(".png")).convert("RGB")
    assert np.array_equal(np.asarray(still), shown)
    assert total == pytest.approx(1000 * footage.seconds, abs=20)


async def test_a_page_plays_in_a_browser_without_a_network(
    recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    pytest.importorskip("aiohttp")
    from browser import CHROMIUM, browser

    if CHROMIUM is None:
        pytest.skip("no Chromium")
    address = recorded(".html").as_uri()
    async with browser(tmp_path / "profile") as page:
        await page.open(f"{address}#t=2.5")
        await page.wait_for(
            "document.getElementById('time')?.textContent",
            lambda shown: bool(re.match("0:0[4-9]", str(shown))),
        )
        screen = await page.evaluate("document.getElementById('text').innerText")
        assert all(name in screen for name in ("Batch GD", "Mini-batch", "SGD"))
        assert re.search("[⠁-⣿]{3}", screen), "curves"
        await page.evaluate("goTo(0); setPlaying(false)")
        assert await page.evaluate("document.getElementById('play').textContent") == "Play"
        assert "Mini-batch" in await page.evaluate(
            "getSelection().selectAllChildren(document.getElementById('text')),"
            "getSelection().toString()"
        )
        assert [each for each in page.requests if not each.startswith(("file:", "data:"))] == []
