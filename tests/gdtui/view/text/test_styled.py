"""Styled text measures, cuts and joins as Textual's content does, which it becomes in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from gdtui.view.text.styled import StyledPart, StyledText, cells, lines
from gdtui.widgets.line import as_content

PIECES = st.sampled_from(["a", "lab", "σ", "◆ all", "日本", "→", "x y", "  ", "…", "1,000", "é"])
PARTS = st.lists(st.tuples(PIECES, st.sampled_from(["", "bold", "$quiet"])), max_size=6)


def styled(parts: list[StyledPart]) -> tuple[StyledText, Content]:
    return StyledText(tuple(parts)), Content.assemble(*parts)


def looks(content: Content) -> list[tuple[str, str]]:
    """Each character with the style that is on it."""
    return [
        (
            character,
            next((str(each.style) for each in content.spans if each.start <= at < each.end), ""),
        )
        for at, character in enumerate(content.plain)
    ]


@given(PARTS, PARTS, st.integers(0, 12), st.integers(0, 5))
def test_it_is_what_textual_makes_of_the_same(
    one: list[StyledPart], other: list[StyledPart], width: int, count: int
) -> None:
    (mine, theirs), (more, their_more) = styled(one), styled(other)
    for text, content in (
        (mine + more, theirs + their_more),
        (mine.truncate(width), theirs.truncate(width, ellipsis=True)),
        (mine.pad_right(count), theirs.pad_right(count)),
        (mine.join([more, mine, more]), theirs.join([their_more, theirs, their_more])),
    ):
        assert looks(as_content(text)) == looks(content)
        assert text.plain == content.plain
        assert text.cell_length == Content(content.plain).cell_length
        assert bool(text) == bool(content)


def test_a_text_in_lines_is_split_into_them_again() -> None:
    rows = [StyledText.of("one", "bold"), StyledText((("two", ""), ("three", "$error")))]
    assert lines(rows).split("\n") == rows
    assert lines(rows).plain == "one\ntwothree"


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("loss 0.1", 8), ("σ · ◆", 5), ("日本", 4), ("\n", 0)]
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width
