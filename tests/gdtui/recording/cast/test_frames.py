"""Frames: what is sent, and when, so that another terminal shows the same."""

from hypothesis import given
from hypothesis import strategies as st

from gdtui.recording.cast.delta import ScreenDelta
from gdtui.recording.cast.frames import FrameSampler
from gdtui.recording.emulator.screen import TerminalScreen

COLUMNS, ROWS = 20, 4
WRITES = st.builds(
    lambda y, x, style, text: f"\x1b[{y};{x}H\x1b[{style}m{text}",
    st.integers(1, ROWS),
    st.integers(1, COLUMNS),
    st.sampled_from(["0", "1", "38;2;1;2;3", "0;48;2;9;9;9", "7"]),
    st.text("a ⠿漢", max_size=COLUMNS),
)


@given(st.lists(st.lists(WRITES, max_size=6), min_size=1, max_size=6))
def test_another_terminal_shows_the_same_after_each_frame(frames: list[list[str]]) -> None:
    screen, other = TerminalScreen(COLUMNS, ROWS), TerminalScreen(COLUMNS, ROWS)
    delta = ScreenDelta(screen)
    for frame in frames:
        for text in frame:
            screen.feed(text)
        other.feed(delta.take())
        assert other.styles == screen.styles
        assert other.text() == screen.text()
    assert delta.take() == ""


def sampled(*writes: tuple[float, str], until: float = 1.0) -> list[tuple[float, str]]:
    frames: list[tuple[float, str]] = []
    screen = TerminalScreen(4, 1)
    sampler = FrameSampler(screen, 10, lambda at, text: frames.append((at, text)))
    for at, text in writes:
        sampler.write(at, text)
    sampler.finish(until)
    return frames


def test_a_frame_has_all_that_was_written_since_the_last() -> None:
    frames = sampled((0.0, "a"), (0.11, "b"), (0.19, "c"), (0.5000000001, "d"))
    assert frames == [
        (0.0, "\x1b[1;1Ha"),
        (0.2, "\x1b[1;2Hbc"),
        (0.5, "\x1b[1;4Hd"),
        (1.0, ""),
    ]


def test_what_changes_nothing_makes_no_frame() -> None:
    assert sampled((0.0, "a"), (0.3, "\x1b[1;1Ha"), (0.6, "\x1b[1;1Hb\x1b[1;1Ha")) == [
        (0.0, "\x1b[1;1Ha"),
        (1.0, ""),
    ]
