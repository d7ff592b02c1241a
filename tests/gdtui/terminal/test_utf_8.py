"""A terminal is asked whether it shows UTF-8; one that does not answer is believed to."""

import fcntl
import os
import resource
import sys
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


@pytest.mark.skipif(sys.platform != "linux", reason="select(2) is all that others have")
def test_a_process_with_many_files_open_can_ask_too() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    terminal, program = os.openpty()
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        beyond = fcntl.fcntl(program, fcntl.F_DUPFD_CLOEXEC, 1024)
        try:
            assert beyond >= 1024
            assert shows_utf_8(beyond, beyond, patience=0.1), "silence is no refusal"
            written = b""
            while not written.endswith(b"\x1b[6n\r\x1b[K"):  # in pieces, as they come
                written += os.read(terminal, 64)
        finally:
            os.close(beyond)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(program)
        os.close(terminal)
