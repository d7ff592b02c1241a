"""The screen in memory, against pyte, on everything that Textual writes."""

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.recording.emulator.screen import TerminalScreen

COLUMNS, ROWS = 12, 5
CHANNEL = st.integers(0, 255)
COLOURS = st.builds(
    lambda base, *rgb: f"{base};2;" + ";".join(map(str, rgb)),
    st.sampled_from([38, 48]), CHANNEL, CHANNEL, CHANNEL,
)  # fmt: skip
STYLES = st.one_of(COLOURS, st.sampled_from(["0", "1", "7", "31", "1;44", "39;49", "22"]))
PIECES = st.one_of(
    st.text("ab ⠿─▲", min_size=1, max_size=COLUMNS),
    st.builds(lambda y, x: f"\x1b[{y};{x}H", st.integers(1, ROWS), st.integers(1, COLUMNS)),
    STYLES.map(lambda style: f"\x1b[{style}m"),
    st.sampled_from(["\x1b[0m\x1b[2J", "\x1b[?25l", "\r"]),
)


@given(st.lists(PIECES, max_size=20))
def test_it_shows_what_a_terminal_shows(pieces: list[str]) -> None:
    screen, reference = TerminalScreen(COLUMNS, ROWS), pyte.Screen(COLUMNS, ROWS)
    reference.reset_mode(7 << 5)  # Textual turns wrapping off
    stream = pyte.Stream(reference)
    for piece in fitting(pieces):
        screen.feed(piece)
        stream.feed(piece)
    assert screen.text().splitlines() == [line.rstrip() for line in reference.display]
    for y in range(ROWS):
        for x in range(COLUMNS):
            cell, style = reference.buffer[y][x], screen.styles[y][x]
            assert (cell.bold, cell.reverse) == (style.bold, style.reverse)


def fitting(pieces: list[str]) -> list[str]:
    """Each text at the left edge, as pyte draws over the last cell what does not fit."""
    return [piece if piece.startswith("\x1b") else f"\r{piece}" for piece in pieces]


@pytest.mark.parametrize(
    "sequence", ["\x1b[=0;1u", "\x1b[<u", "\x1b[?2026h", "\x1b]0;title\x07", "\x1b]22;text\x1b\\"]
)
def test_modes_and_titles_leave_no_text(sequence: str) -> None:
    screen = TerminalScreen(COLUMNS, ROWS)
    screen.feed(f"a{sequence}b")
    assert screen.text().split() == ["ab"]


@pytest.mark.parametrize("sequence", ["38:2::255:0:16", "38:2:255:0:16", "38;2;255;0;16"])
def test_colours_may_have_colons(sequence: str) -> None:
    screen = TerminalScreen(COLUMNS, ROWS)
    screen.feed(f"\x1b[{sequence}mx")
    assert screen.styles[0][0].foreground == "#ff0010"


def test_wide_characters_take_two_cells() -> None:
    screen = TerminalScreen(5, 1)
    screen.feed("漢字漢")
    assert screen.characters == [["漢", "", "字", "", " "]], "the third does not fit"


def test_the_last_screen_stays_when_the_app_leaves() -> None:
    screen = TerminalScreen(COLUMNS, ROWS)
    screen.feed("last\x1b[?1049l\x1b[2Jshell")
    screen.feed("\x1b[H$ ")
    assert screen.text().split() == ["last"]
