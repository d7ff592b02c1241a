"""The last lines of a console."""

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdtui.view.console.lines import ConsoleLines

_PIECES = st.sampled_from(
    [b"abc", b"\n", b"\r\n", b"\r", b"\b", b"\x1b[A", b"\x1b[2K", b"\x1b[K", b"\x1b[3C", b"\x1b[5G",
     b"\x1b[31m", b"\x1b[0m", "━é".encode(), b"\x1b]0;title\x07", b"x"]
)  # fmt: skip


def shown(*portions: bytes, rows: int = 20, columns: int = 60) -> list[str]:
    """The lines after these portions, without spaces at their ends."""
    lines = ConsoleLines()
    for portion in portions:
        lines.feed(portion)
    return [line.plain.rstrip() for line in lines.last(rows, columns)]


@settings(max_examples=60)
@given(st.lists(_PIECES, max_size=20).map(b"".join), st.integers(0, 60))
def test_lines_are_those_of_a_terminal_however_the_bytes_are_divided(data: bytes, cut: int) -> None:
    screen = pyte.Screen(400, 60)
    screen.set_mode(pyte.modes.LNM)
    pyte.ByteStream(screen).feed(data)
    expected = [line.rstrip() for line in screen.display]
    while expected and not expected[-1]:
        expected.pop()
    found = shown(data[:cut], data[cut:], rows=60, columns=400)
    while found and not found[-1]:
        found.pop()
    assert found == expected
    assert shown(*(bytes([each]) for each in data), rows=60, columns=400) == shown(
        data, rows=60, columns=400
    )


def test_colours_are_kept() -> None:
    lines = ConsoleLines()
    lines.feed(b"a\x1b[1;31mb\x1b[0mc")
    (line,) = lines.last(5, 10)
    assert [str(span.style) for span in line.spans if str(span.style) != "none"] == [
        "bold color(1)"
    ]


@pytest.mark.parametrize(
    "data", [b"\x1b[999999999B", b"\x1b[999999999Cx", b"\n" * 5000, b"x" * 9999]
)
def test_a_console_stays_small(data: bytes) -> None:
    assert max(map(len, shown(data, rows=10**6, columns=10**6))) <= 1_001
    assert len(shown(data, rows=10**6)) <= 500


@pytest.mark.parametrize(
    ("printed", "prompt"),
    [
        ("name? ", "name? "),
        ("loading\n(Pdb) ", "(Pdb) "),
        ("Password:", "Password:"),
        ("In [1]: ", "In [1]: "),
        ("really (y/n)\n", ""),
        ("step 3 loss 0.5", ""),
        ("\r 50%|####     | 5/10 [00:01<00:01, 9it/s]\r", ""),
        ("", ""),
    ],
)
def test_a_question_at_the_end_is_known_by_its_last_character(printed: str, prompt: str) -> None:
    lines = ConsoleLines()
    lines.feed(printed.encode())
    assert lines.prompt == prompt
