"""The standard streams, each of which may be closed or not be a terminal.

All output of commands goes through here, where sequences that a terminal would obey are removed,
since names and paths may come from untrusted files.
"""

import locale
import os
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    import click

_SCREENLESS: Final = ("dumb", "unknown")
"""Values of TERM for terminals that can only print lines."""


def check_screen(ctx: "click.Context", subject: str, instead: str) -> None:
    """End the program with exit status 2 if no app can be shown.

    The message names the command to use `instead`.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        ctx.fail(f"{subject} needs a terminal; without one, use: {instead}")
    if prints_lines_only():
        term = os.environ["TERM"]
        ctx.fail(
            f"{subject} needs a screen, and TERM={term} says that the terminal has none: "
            f"set TERM=xterm-256color if it has, or use: {instead}"
        )
    if not _has_utf_8():
        ctx.fail(
            f"{subject} draws in UTF-8, and the terminal shows something else: "
            f"switch it to UTF-8 and set LANG=C.UTF-8, or use: {instead}"
        )


def has_screen() -> bool:
    """True if an app can be shown."""
    has_terminal = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    return has_terminal and not prints_lines_only() and _has_utf_8()


def print_text(text: str = "", end: str = "\n") -> None:
    """Print lines on stdout."""
    print(_safe(text), end=end)


def redraw(text: str) -> None:
    """Print lines in place of all that is on the terminal; below it if stdout is no terminal."""
    print(f"\x1b[H\x1b[2J{_safe(text)}" if is_terminal(sys.stdout) else _safe(text), flush=True)


def print_error(text: str = "", end: str = "\n") -> None:
    """Print lines on stderr."""
    print(_safe(text), end=end, file=sys.stderr, flush=True)


def print_json(document: Any) -> None:
    """Print a document on stdout, as one line of JSON."""
    from engine.settings.text import to_json

    sys.stdout.buffer.write(to_json(document) + b"\n")
    sys.stdout.buffer.flush()


def _safe(text: str) -> str:
    from engine.settings.text import clean_lines

    return clean_lines(text, most=sys.maxsize)


def is_terminal(stream: TextIO | None) -> bool:
    """True for an open stream that is a terminal."""
    return stream is not None and stream.isatty()


def prints_lines_only() -> bool:
    """True for a terminal that, according to TERM, cannot move back to what it has printed."""
    return os.environ.get("TERM") in _SCREENLESS


def _has_utf_8() -> bool:
    """Ask the terminal only if the locale does not say UTF-8: many show it under LANG=C."""
    is_plain_c = sys.flags.utf8_mode  # Python coerces C and POSIX to UTF-8, and sets this variable
    if not is_plain_c and locale.getencoding().lower().replace("-", "") == "utf8":
        return True
    from gdtui.terminal.utf_8 import shows_utf_8

    return shows_utf_8(sys.stdin.fileno(), sys.stdout.fileno())
