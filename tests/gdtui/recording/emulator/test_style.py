"""Styles as escape sequences, and back."""

from hypothesis import given
from hypothesis import strategies as st

from gdtui.recording.emulator.style import PLAIN, CellStyle, styled, transition

COLOUR = st.none() | st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
STYLE = st.builds(CellStyle, COLOUR, COLOUR, *[st.booleans()] * 6)


@given(STYLE, STYLE)
def test_a_transition_gives_the_style(before: CellStyle, after: CellStyle) -> None:
    sequence = transition(before, after)
    assert (sequence == "") == (before == after)
    if sequence:
        assert styled(before, sequence.removeprefix("\x1b[").removesuffix("m")) == after


def test_indexed_colours_are_xterms() -> None:
    found = [styled(PLAIN, f"38;5;{n}").foreground for n in (1, 9, 16, 21, 196, 231, 232, 255)]
    assert found == [
        *("#cd0000", "#ff0000", "#000000", "#0000ff", "#ff0000", "#ffffff", "#080808", "#eeeeee")
    ]
    assert styled(PLAIN, "91").foreground == "#ff0000"
    assert styled(PLAIN, "102").background == "#00ff00"
