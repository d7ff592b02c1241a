"""`--record`: what a terminal showed while the app was used, as a file."""

import json
import os
import sys
from pathlib import Path

import pytest
from terminal import Terminal

from gdtui.recording.emulator.screen import TerminalScreen

STORED = Path(__file__).parents[1] / "stored_runs" / "format-1"


def watch(cli_env: dict[str, str], record: str) -> Terminal:
    """Watch the stored run, recorded, until its keys end the app."""
    options = ["--keys", "300ms ? 300ms escape 300ms q", "--record", record]
    command = [sys.executable, "-m", "gdtui", "watch", str(STORED), *options]
    terminal = Terminal(command, env=cli_env, columns=100, rows=30)
    terminal.wait_for(lambda: terminal.has_ended)
    return terminal


def test_a_recording_ends_with_the_apps_last_screen(
    cli_env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "demo.cast"
    terminal = watch(cli_env, str(path))
    try:
        raw = terminal.raw.decode()
    finally:
        terminal.close()
    shown, screen = TerminalScreen(100, 30), TerminalScreen(100, 30)
    shown.feed(raw)
    _, *events = map(json.loads, path.read_text().splitlines())
    for _, _, sequences in events:
        screen.feed(sequences)
    assert screen.text() == shown.text()
    assert "Mini-batch" in screen.text()
    assert f"{path}: {events[-1][0]:.1f} s" in raw.rpartition("\x1b[?1049l")[2]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux's")  # noqa: PTH110
def test_a_full_disk_ends_the_recording_and_not_the_app(
    cli_env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "demo.cast"
    path.symlink_to("/dev/full")
    terminal = watch(cli_env, str(path))
    try:
        assert terminal.wait() == 0
        assert b"No space left on device" in terminal.raw
    finally:
        terminal.close()
