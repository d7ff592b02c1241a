"""Recordings made while the app is used: complete, and ended with a word when the disk is full."""

import json
import os
from pathlib import Path

import pytest

from gdtui.recording.emulator.screen import TerminalScreen
from gdtui.recording.live.recorder import ScreenRecorder
from gdtui.recording.live.sinks import CastStream, Collected
from gdtui.recording.output.files import Appearance, output_of


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def use(recorder: ScreenRecorder, clock: Clock, notes: list[str]) -> None:
    """Paint in several moments, and resize the terminal in between."""
    recorder.painted("before there is a screen")
    recorder.resized(10, 2, notes.append)
    for seconds, text in ((0.0, "\x1b[1;1Hone"), (1.55, "\x1b[2;1Htwo\x1b[5;1Hbelow")):
        clock.now = 100 + seconds
        recorder.painted(text)
    clock.now = 102.0
    recorder.resized(5, 2, notes.append)
    recorder.painted("\x1b[1;1Hthree")
    clock.now = 104.0
    recorder.stop()


def test_a_cast_grows_with_the_screen(tmp_path: Path) -> None:
    path, clock, notes = tmp_path / "x.cast", Clock(), list[str]()
    recorder = ScreenRecorder(CastStream(path, "title"), 10, clock)
    use(recorder, clock, notes)
    header, *events = map(json.loads, path.read_text().splitlines())
    assert (header["width"], header["height"], header["title"]) == (10, 2, "title")
    assert [at for at, _, _ in events] == [0.0, 0.0, 1.6, 2.0, 4.0]
    screens = []
    screen = TerminalScreen(10, 2)
    for _, _, sequences in events:
        screen.feed(sequences)
        screens.append(screen.text().split())
    assert screens[1:] == [["one"], ["one", "two"], ["three"], ["three"]]
    assert (recorder.seconds, recorder.size) == (4.0, path.stat().st_size)
    assert (recorder.trouble, notes) == ("", [])


def test_other_files_are_made_at_the_end(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.txt", Clock()
    use(ScreenRecorder(Collected(output_of(path, Appearance(title=""))), 10, clock), clock, [])
    assert path.read_text() == "three\n\n"


def test_a_full_disk_ends_the_recording_with_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock, notes = tmp_path / "x.cast", Clock(), list[str]()
    room, write = 300, os.write

    def write_while_there_is_room(file: int, content: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        written = write(file, content[:room])
        room -= written
        return written

    recorder = ScreenRecorder(CastStream(path, "title"), 10, clock)
    monkeypatch.setattr(os, "write", write_while_there_is_room)
    recorder.resized(80, 24, notes.append)
    for second in range(100):
        clock.now = 100.0 + second
        recorder.painted(f"\x1b[1;1H{second:<40}")
    while not notes:  # from the recording's thread
        recorder.painted("x")
    recorder.stop()
    assert notes == ["the recording ended: No space left on device. Training goes on"]
    assert recorder.trouble == "No space left on device"
    content = path.read_text()
    assert content.endswith("\n")
    assert [json.loads(line) for line in content.splitlines()]


def test_nothing_is_written_before_there_is_a_screen(tmp_path: Path) -> None:
    recorder = ScreenRecorder(CastStream(tmp_path / "x.cast", ""), 10)
    recorder.painted("x")
    recorder.stop()
    assert (recorder.frames, [*tmp_path.iterdir()]) == (0, [])
