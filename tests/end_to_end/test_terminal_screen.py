"""The screen that these tests read an app's output from: it is the one that pyte makes of it."""

import pyte
from hypothesis import given
from hypothesis import strategies as st
from quick_pyte import QuickScreen, QuickStream

COLUMNS, ROWS = 12, 5

NUMBERS = st.lists(st.sampled_from(["", "0", "1", "4", "7", "31", "38", "2", "5", "48", "200"]))
FINALS = st.sampled_from("mmmmHHHABCDGdJKLMPX@r")
PIECES = st.one_of(
    st.text("ab─█ ░é", max_size=9),
    st.text("a字e\u0301🙂\x00\x07\u200b", max_size=4),
    st.sampled_from(
        ["\r", "\n", "\b", "\t", "\x1b7", "\x1b8", "\x1bM", "\x1b(0", "\x0e", "\x1b[>4m"]
    ),
    st.sampled_from(["\x1b[?1049h", "\x1b[?5h", "\x1b[4h", "\x1b[4l", "\x1b[?7l", "\x1b]0;t\x07"]),
    st.builds(lambda numbers, final: f"\x1b[{';'.join(numbers[:2])}{final}", NUMBERS, FINALS),
    st.builds(lambda numbers: f"\x1b[{';'.join(numbers)}m", NUMBERS),
)


def result(
    screen: pyte.Screen, stream: pyte.ByteStream | QuickStream, chunks: list[bytes]
) -> object:
    """The cells and rows after each chunk; the error if pyte raises one."""
    seen = []
    for chunk in chunks:
        try:
            stream.feed(chunk)
            rows = list(screen.display)
        except (TypeError, LookupError, NameError, AssertionError) as error:
            return [*seen, type(error)]
        cells = [[screen.buffer[y][x] for x in range(COLUMNS)] for y in range(ROWS)]
        seen.append((cells, rows, screen.cursor.x, screen.cursor.y))
    return seen


@given(st.lists(PIECES, max_size=30).map("".join), st.integers(1, 40))
def test_it_is_that_of_pyte(written: str, size: int) -> None:
    data = written.encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    plain, quick = pyte.Screen(COLUMNS, ROWS), QuickScreen(COLUMNS, ROWS)
    assert result(quick, QuickStream(quick), chunks) == result(
        plain, pyte.ByteStream(plain), chunks
    )
