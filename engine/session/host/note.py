"""The note of a host in the run directory: which process it is, on which machine, and its socket.

A run may have several hosts, each with its own variants and its own note.
"""

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import msgspec

from engine.log.directory import MOST_VARIANTS, RunDirectory
from engine.log.filesystem.safe_open import directory_opened, read_whole, write_once
from engine.log.format import FORMAT
from engine.log.reading.decode import DocumentError, decode_document
from engine.session.host.address import boot_id, host_name, socket_directory
from engine.settings.ranges import Moment, Ordinal

SUFFIX: Final = ".host"
OUTPUT: Final = "host.out"
"""The file for the output of a host without a terminal."""
_NAME: Final = re.compile(r"[0-9a-f]{16}\.host")
_MOST_BYTES: Final = 1 << 20
_MOST_NOTES: Final = 1_000

_Text = Annotated[str, msgspec.Meta(max_length=1_000)]


class HostNote(msgspec.Struct, frozen=True, kw_only=True):
    """A host of a run."""

    format: int = FORMAT
    version: _Text
    """Version of the host's program."""
    host: _Text
    """Name of its machine."""
    boot: _Text
    """Identifies the start of that machine."""
    pid: Ordinal
    socket: _Text
    """Path of its socket."""
    began: Moment
    """Seconds since the Unix epoch."""
    variants: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=MOST_VARIANTS)] = ()
    """The names of the variants that it trains."""

    @property
    def is_here(self) -> bool:
        """True if it was started on this machine, since its last boot.

        A note from elsewhere may name any socket; only this user's directory of sockets is used.
        """
        return self.boot == boot_id() and Path(self.socket).parent == socket_directory()

    @property
    def is_elsewhere(self) -> bool:
        """True if it was started on another machine; false if this machine was rebooted since."""
        return self.boot != boot_id() and self.host != host_name()


def is_host_file(name: str) -> bool:
    """True for the names of the files that hosts write into a run directory."""
    return name == OUTPUT or _is_note(name)


def _is_note(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def write_note(run: RunDirectory, note: HostNote) -> Path:
    """Write the note, and remove those of earlier hosts of the same variants; returns its path.

    Only one process holds a run, so the earlier hosts have ended. Raises OSError.
    """
    path = run.path / f"{Path(note.socket).stem}{SUFFIX}"
    for other, found in _found(run.path):
        if not found.variants or {*found.variants} & {*note.variants}:
            remove_note(other)
    write_once(path, msgspec.json.format(msgspec.json.encode(note), indent=2))
    return path


def remove_note(path: Path) -> None:
    """Remove a host's note. Safe to repeat."""
    with contextlib.suppress(OSError), directory_opened(path.parent, is_followed=True) as folder:
        os.unlink(path.name, dir_fd=folder)


def read_notes(path: Path) -> list[HostNote]:
    """The notes in a run directory, the newest first; without those that cannot be read."""
    return sorted((note for _, note in _found(path)), key=lambda note: note.began, reverse=True)


def _found(path: Path) -> Iterable[tuple[Path, HostNote]]:
    try:
        names = [file.name for file in path.iterdir() if _is_note(file.name)][:_MOST_NOTES]
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError, DocumentError):
            yield path / name, decode_document(read_whole(path / name, _MOST_BYTES), HostNote)
