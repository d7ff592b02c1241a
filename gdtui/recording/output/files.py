"""The kinds of files that a recording can become, by suffix, and how they are written."""

import contextlib
import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gdtui.recording.cast.footage import Footage
from gdtui.recording.cast.text import event, header

Make = Callable[[Footage], bytes]
"""Makes the bytes of a file of a recording."""


class OutputError(Exception):
    """A file that cannot be written; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """Title and letters of a recording's file."""

    title: str
    font: Path | None = None
    """None takes a font of this machine."""
    font_size: int = 13
    """In pixels."""


def _cast(appearance: Appearance) -> Make:
    def make(footage: Footage) -> bytes:
        lines = [event(at, sequences) for at, sequences in footage.frames]
        return (header(footage.columns, footage.rows, appearance.title) + "".join(lines)).encode()

    return make


def _text(_: Appearance) -> Make:
    return lambda footage: footage.text.encode()


def _html(appearance: Appearance) -> Make:
    from gdtui.recording.output.html import html

    return lambda footage: html(footage, appearance.title)


def _gif(appearance: Appearance) -> Make:
    return _painted(appearance, "gif")


def _png(appearance: Appearance) -> Make:
    return _painted(appearance, "png")


def _painted(appearance: Appearance, kind: str) -> Make:
    try:
        from gdtui.recording.output.gif import gif, png
        from gdtui.recording.raster.font import Font, FontError
    except ImportError:
        raise OutputError(f"a .{kind} needs Pillow: pip install 'gdtui[record]'") from None
    try:
        font = Font(appearance.font, appearance.font_size)
    except FontError as error:
        raise OutputError(str(error)) from None
    make = gif if kind == "gif" else png
    return lambda footage: make(footage, font)


_KINDS: Final[Mapping[str, Callable[[Appearance], Make]]] = {
    ".cast": _cast,
    ".gif": _gif,
    ".html": _html,
    ".png": _png,
    ".txt": _text,
}


@dataclass(frozen=True, slots=True)
class Output:
    """A file to be written, and the function that makes its content."""

    path: Path
    make: Make


def output_of(path: Path, appearance: Appearance) -> Output:
    """The file at this path.

    Raises OutputError if it could not be made or written, before any work is done for it.
    """
    make = _KINDS.get(path.suffix.lower())
    if make is None:
        found = f"unknown suffix {path.suffix!r}" if path.suffix else "the name has no suffix"
        known = ", ".join(_KINDS)
        raise OutputError(f"{path}: {found}, which decides what is written; choose from {known}")
    folder = path.parent
    if path.is_dir():
        reason = os.strerror(errno.EISDIR)
    elif not folder.is_dir():
        reason = f"{folder} is not a directory" if folder.exists() else f"no directory {folder}"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        reason = os.strerror(errno.EACCES)
    else:
        return Output(path, make(appearance))
    raise OutputError(f"cannot write {path}: {reason}")


def write_output(output: Output, footage: Footage) -> int:
    """Write the file, and return its size; until it is complete, an existing one stays as it was.

    Raises OutputError if it cannot be written.
    """
    content = output.make(footage)
    part = output.path.with_name(f".{output.path.name}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(output.path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        raise OutputError(f"cannot write {output.path}: {error.strerror}") from None
    return len(content)
