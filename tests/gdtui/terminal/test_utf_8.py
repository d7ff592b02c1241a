"""A terminal is asked whether it shows UTF-8; one that does not answer is believed to."""

import os
import termios
import threading

import pytest

from gdtui.terminal.utf_8 import shows_utf_8


@pytest.mark.parametrize(
    ("answer", "shows"),
    [
        (b"\x1b[7;2R", True),
        (b"\x1b[7;4R", False),
        (b"x\x1b[12;4R", False),
        (b"typed", True),
        (b"", True),
    ],
    ids=["one column", "three columns", "behind a key", "a key alone", "nothing"],
)
def test_a_terminal_that_takes_bytes_for_characters_gives_itself_away(
    answer: bytes, shows: bool
) -> None:
    terminal, program = os.openpty()
    asked = b""

    def reply() -> None:
        nonlocal asked
        while b"\x1b[6n" not in asked:
            asked += os.read(terminal, 64)
        os.write(terminal, answer)

    replying = threading.Thread(target=reply, daemon=True)
    replying.start()
    before = termios.tcgetattr(program)
    try:
        assert shows_utf_8(program, program, patience=60.0 if b"R" in answer else 0.1) is shows
        assert termios.tcgetattr(program) == before
        replying.join()
        assert asked == "\r⣿\x1b[6n".encode()
        assert os.read(terminal, 64) == b"\r\x1b[K"
    finally:
        os.close(program)
        os.close(terminal)
