"""Things that lie in the place of a run's files, and a canary outside that must stay as it is."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

Plant = Callable[[Path, Path], None]
"""Puts a thing at a path; the second is the canary, a file or a directory outside the run."""


def _fifo(path: Path, canary: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path, canary: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        where = Path.cwd()
        os.chdir(path.parent)  # its name may be 108 bytes long
        try:
            server.bind(path.name)
        finally:
            os.chdir(where)


PLANTS: Final[dict[str, Plant]] = {
    "a link": lambda path, canary: path.symlink_to(canary),
    "a link to nothing": lambda path, canary: path.symlink_to(canary.with_name("nothing")),
    "a link to itself": lambda path, canary: path.symlink_to(path.name),
    "a link to a device": lambda path, canary: path.symlink_to("/dev/zero"),
    "a directory": lambda path, canary: path.mkdir(),
    "a FIFO": _fifo,
    "a socket": _socket,
}
"""Things that no run makes, by name; opening some of them would wait for ever."""


class CanaryTree:
    """Files outside a run, and a look at whether any was touched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "thesis").mkdir(parents=True)
        self.file = root / "thesis" / "chapter.gdlog"
        self.file.write_bytes(b"years of work")
        (root / "thesis" / "train.pt").write_bytes(b"more")
        self._before = self._look()

    @property
    def folder(self) -> Path:
        return self.file.parent

    def _look(self) -> dict[str, tuple[int, int, bytes]]:
        """Mode, time of the last change, and content of each."""
        return {
            str(path): (
                path.stat().st_mode,
                path.stat().st_mtime_ns,
                path.read_bytes() if path.is_file() else b"",
            )
            for path in [self.root, *self.root.rglob("*")]
        }

    def check(self) -> None:
        """AssertionError where something was changed, made or removed."""
        assert self._look() == self._before
