"""The texts in a console's bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.programs.text.segments import MOST_BYTES, Segments

_PIECES = st.sampled_from(
    [b"loss: 0.5", b"\n", b"\r", b"\r\n", b"\x1b[31m", b"\x1b[0m", b"\x1b[A", b"\x1b[2K", b"\b",
     "é━█".encode(), b"\x1b]0;title\x07", b"\x1b[3C", b"\xff", b" ", b"x" * 300]
)  # fmt: skip


def texts(*portions: bytes) -> list[str]:
    """All texts of the portions of a stream."""
    segments = Segments()
    found = [text for portion in portions for text in segments.feed(portion)]
    return [*found, *segments.finish()]


@settings(max_examples=50)
@given(st.lists(_PIECES, max_size=30).map(b"".join), st.data())
def test_the_same_bytes_are_the_same_texts_however_they_are_divided(
    data: bytes, draw: st.DataObject
) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    portions = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert texts(*portions) == texts(data) == texts(*(bytes([each]) for each in data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb\r\nc", ["a", "b", "c"]),
        (b" 10%|\r 20%|\r", ["10%|", "20%|"]),
        (b"\x1b[1;31mloss\x1b[0m: \x1b[38;5;12m0.5\x1b[m\n", ["loss: 0.5"]),
        (b"\n\rinner\x1b[A\router\n\n", ["inner", "outer"]),
        (b"1/2\b\b\b2/2\n", ["1/2", "2/2"]),
        (b"\x1b]0;a title\x07loss\x1b[2Cx", ["loss x"]),
        ("━━ é".encode(), ["━━ é"]),
    ],
)
def test_ends_of_texts(data: bytes, expected: list[str]) -> None:
    assert texts(data) == expected


def test_of_a_long_line_only_the_beginning_is_read() -> None:
    line = b"loss: 0.5 " + b"x" * 10 * MOST_BYTES
    assert texts(line + b"\nnext\n") == [line[:MOST_BYTES].decode(), "next"]
    portions = [line[k : k + 4000] for k in range(0, len(line), 4000)]
    assert texts(*portions, b"\nnext\n") == [line[:MOST_BYTES].decode(), "next"]
