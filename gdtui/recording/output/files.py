"""The kinds of files that a recording can become, by suffix, and how they are written."""

import contextlib
import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from gdtui.recording.cast.footage import Footage
from gdtui.recording.cast.text import event, header

Make = Callable[[Footage, str], bytes]
"""Makes the bytes of a file of a recording and its title."""


class OutputError(Exception):
    """A file that cannot be written; the message says why."""


def _cast(footage: Footage, title: str) -> bytes:
    lines = [event(at, sequences) for at, sequences in footage.frames]
    return (header(footage.columns, footage.rows, title) + "".join(lines)).encode()


def _text(footage: Footage, _: str) -> bytes:
    return footage.text.encode()


MAKERS: Final[Mapping[str, Make]] = {".cast": _cast, ".txt": _text}


def check_output(path: Path) -> None:
    """Raise OutputError for a file that could not be written, before any work is done for it."""
    if path.suffix.lower() not in MAKERS:
        known = ", ".join(MAKERS)
        found = f"unknown suffix {path.suffix!r}" if path.suffix else "the name has no suffix"
        raise OutputError(f"{path}: {found}, which decides what is written; choose from {known}")
    folder = path.parent
    if path.is_dir():
        reason = os.strerror(errno.EISDIR)
    elif not folder.is_dir():
        reason = f"{folder} is not a directory" if folder.exists() else f"no directory {folder}"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        reason = os.strerror(errno.EACCES)
    else:
        return
    raise OutputError(f"cannot write {path}: {reason}")


def write_output(path: Path, content: bytes) -> None:
    """Write the file; until it is complete, an existing one stays as it was.

    Raises OutputError if it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
