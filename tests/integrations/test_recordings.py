"""Recordings as others read them: asciinema's reader, Pillow, a browser."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdtui.recording.cast.footage import Footage
from gdtui.recording.emulator.screen import TerminalScreen

pytestmark = pytest.mark.integration
Cli = Callable[..., "subprocess.CompletedProcess[str]"]
STORED = Path(__file__).parents[1] / "stored_runs" / "format-1"
SCRIPT = ("--speed", "100", "--keys", "1s ? 1s escape 4s q", "--size", "100x30")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER = "not an origin"
"""The initiator of requests that no page makes."""


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
    from gdtui.recording.output.gif import gif
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
    assert total == pytest.approx(1000 * footage.seconds, abs=20)


def browse(page: str, tmp_path: Path, *options: str) -> tuple[str, list[str]]:
    """The document a while after it was opened in a browser, and the addresses it asked for."""
    assert CHROMIUM is not None
    log = tmp_path / "net.json"
    command = [
        *(
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
        ),
        *(
            "--no-first-run",
            "--disable-component-update",
            f"--user-data-dir={tmp_path / 'profile'}",
        ),
        *(f"--log-net-log={log}", "--virtual-time-budget=8000", "--window-size=1400,900", *options),
        page,
    ]
    result = subprocess.run(command, capture_output=True, timeout=120, check=True)
    found: dict[str, Any] = json.loads(log.read_text())
    requests = [event["params"] for event in found["events"] if "url" in event.get("params", {})]
    of_pages = [each for each in requests if each.get("initiator", BROWSER) != BROWSER]
    return result.stdout.decode(), [each["url"] for each in of_pages if "http" in each["url"]]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_a_page_plays_in_a_browser_without_a_network(
    recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    document, addresses = browse(recorded(".html").as_uri() + "#t=3.9", tmp_path, "--dump-dom")
    assert addresses == []
    screen = document.partition('id="text"')[2].partition("</pre>")[0]
    assert all(name in screen for name in ("Batch GD", "Mini-batch", "SGD"))
    assert re.search("[⠁-⣿]{3}", screen), "curves"
    time = re.search(r'id="time">(\d):(\d\d) / ', document)
    assert time is not None
    assert int(time[2]) >= 4, "it plays on"
