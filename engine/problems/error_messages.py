"""Describes an error in a user's problem in one line: file, line number if known, error."""

import os
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.jobs.messages import JobError
from engine.problem import ProblemError
from engine.problems.shadowing import explain_shadowing
from engine.problems.user_file import file_of
from engine.settings import SettingsError

_FORWARDED: Final = "Original Traceback (most recent call last):"
"""In the text as which a DataLoader's process forwards its exception."""

_NO_MEMORY_ON_CPU: Final = re.compile(
    r"DefaultCPUAllocator:.* you tried to allocate (\d+) bytes", re.DOTALL
)
_HINTS: Final = (
    (
        "Expected more than 1 value per channel",
        "BatchNorm needs two samples in each batch: --drop-last drops a last batch of one, and "
        "batch sizes must be above 1",
    ),
    (
        "mat1 and mat2 must have the same dtype",
        "model and data differ in precision: x.astype('float32')",
    ),
    (
        "expected scalar type Float but found Double",
        "numpy's floats have 64 bits: x.astype('float32')",
    ),
    ("expected scalar type Long", "classes are whole numbers: y.astype('int64')"),
    ("expected target dtype to be Long", "classes are whole numbers: y.astype('int64')"),
    (
        "can't be cast to the desired output type Long",
        "this loss needs a target of floats: y.astype('float32')",
    ),
)


@contextmanager
def explained(problem: str) -> Iterator[None]:
    """Turn any exception of a problem's code into a JobError with one line, as `explain` writes it.

    A user's code may do anything, even exit.
    """
    try:
        yield
    except BaseException as error:
        raise JobError(
            explain(error, file_of(problem)),
            is_usage_error=isinstance(error, SettingsError),
            traceback="".join(traceback.format_exception(error)),
        ) from None


def explain(error: BaseException, file: Path | None, *, is_short: bool = False) -> str:
    """The error in one line, e.g. "net.py:12: ValueError: no such column".

    With `is_short`, the file is named without its directory, to save space.
    """
    what = "; ".join([_what(error), *getattr(error, "__notes__", ())])
    hint = next((f" ({hint})" for text, hint in _HINTS if text in what), "")
    if file is None:
        return what + hint
    line = _line_in(error, file)
    if line is None and isinstance(error, SettingsError) and not isinstance(error, ProblemError):
        return what  # a setting's fault, not the file's
    if shadowing := explain_shadowing(error, file.parent):
        what, hint = shadowing, f" ({what})"
    name = file.name if is_short else shown(file)
    where = name if line is None else f"{name}:{line}"
    return f"{where}: {what}{hint}"


def _what(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    text = str(error)
    if too_large := _NO_MEMORY_ON_CPU.search(text):
        return f"not enough memory: a tensor of {_bytes(int(too_large[1]))} was to be made"
    if _FORWARDED in text:
        return text.strip().splitlines()[-1]
    text = " ".join(text.split()) if len(text) < 1000 else text.strip().splitlines()[0]
    if isinstance(error, SettingsError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _bytes(count: int) -> str:
    """A number of bytes in three digits, e.g. "1.60 TB"."""
    prefixes = ("", "k", "M", "G", "T", "P", "E")
    power = min(len(f"{count}") - 1, 18) // 3
    return f"{count / 1000**power:.3g} {prefixes[power]}B"


def _line_in(error: BaseException, file: Path) -> int | None:
    """The line of the file that was executing last, or the first line of the function to blame.

    The latter covers e.g. layers that do not fit together: torch calls them, not the file.
    """
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno
    if _FORWARDED in str(error):
        found = re.findall(rf'File "{re.escape(str(file))}", line (\d+)', str(error))
        return int(found[-1]) if found else None
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(file)
    ]
    return lines[-1] if lines else _first_line(getattr(error, "about", None), file)


def _first_line(function: object, file: Path) -> int | None:
    """The line where a function of this file begins; None for other functions."""
    code = getattr(function, "__code__", None)
    return int(code.co_firstlineno) if code is not None and code.co_filename == str(file) else None


def shown(file: Path) -> str:
    """The path relative to the current directory if the file is below it, else the full path."""
    relative = os.path.relpath(file)
    return relative if not relative.startswith("..") else str(file)
