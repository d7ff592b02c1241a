"""`gdtui` in this process: another one takes seconds to start where the command trains.

The fork server, which imports torch, is started once and stays for later commands.
"""

import fcntl
import io
import os
import struct
import sys
import termios
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile
from typing import Final, TextIO

import pytest
from terminal import readable

QUIET: Final = {"GDTUI_QUIET": "1"}
"""A slow machine reports progress each minute."""


def run_in_process(
    env: Mapping[str, str], *arguments: str | Path, text_in: str = ""
) -> "CompletedProcess[str]":
    """Run it with these arguments to its end; its output as text."""
    with ExitStack() as stack:
        streams = {}
        for name in ("stdin", "stdout", "stderr"):
            file = stack.enter_context(TemporaryFile())
            streams[name] = io.TextIOWrapper(file, "utf-8", write_through=True)
        streams["stdin"].write(text_in)
        streams["stdin"].seek(0)
        status = _status({**QUIET, **env}, arguments, streams)
        texts = []
        for name in ("stdout", "stderr"):
            streams[name].seek(0)
            texts.append(streams[name].read())
    return CompletedProcess(["gdtui", *map(str, arguments)], status, *texts)


def run_on_terminal(
    env: Mapping[str, str], *arguments: str | Path, columns: int
) -> tuple["CompletedProcess[str]", bytes]:
    """Run it with stderr on a terminal so wide; also returns what was written there."""
    written, is_over = bytearray(), threading.Event()
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 5, columns, 0, 0))

    def read() -> None:
        # The fork server may hold the terminal open for longer.
        while readable(ours, 0.05) or not is_over.is_set():
            if readable(ours, 0):
                written.extend(os.read(ours, 1 << 16))

    reader = threading.Thread(target=read)
    reader.start()
    with TemporaryFile() as file, Path(os.devnull).open() as nothing:
        out = io.TextIOWrapper(file, "utf-8", write_through=True)
        terminal = io.TextIOWrapper(io.FileIO(theirs, "w"), "utf-8", write_through=True)
        streams = {"stdin": nothing, "stdout": out, "stderr": terminal}
        try:
            status = _status({**env, "TERM": "xterm-256color"}, arguments, streams)
        finally:
            is_over.set()
            reader.join()
            terminal.close()
            os.close(ours)
        out.seek(0)
        text = out.read()
    return CompletedProcess(["gdtui", *map(str, arguments)], status, text), bytes(written)


def _status(
    env: Mapping[str, str], arguments: tuple[str | Path, ...], streams: Mapping[str, TextIO]
) -> int:
    """The exit status of a run with these standard streams in place of pytest's."""
    from gdtui.cli.main import main

    with pytest.MonkeyPatch.context() as patch:
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        for name, value in env.items():
            patch.setenv(name, value)
        return main([*map(str, arguments)])
