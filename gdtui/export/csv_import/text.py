"""The text of a log: its encoding by a byte-order mark, its separator by its lines."""

import codecs
import io
import os
import sys
from collections.abc import Iterable
from itertools import chain
from typing import IO, Final

from engine.problems.tabular.reading.dialect import separator_of_log

_SAMPLE: Final = 1 << 16


def opened_text(file: str) -> IO[str]:
    """The file as text; "-" is stdin. Raises OSError if it cannot be opened."""
    descriptor = os.dup(sys.stdin.fileno()) if file == "-" else os.open(file, os.O_RDONLY)
    binary = io.BufferedReader(io.FileIO(descriptor), _SAMPLE)
    start = binary.peek(2)[:2]
    encoding = "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    # Invalid UTF-8 becomes text that no name and no number may contain.
    errors = "strict" if encoding == "utf-16" else "surrogateescape"
    return io.TextIOWrapper(binary, encoding=encoding, errors=errors, newline="")


def separator_of(lines: IO[str]) -> tuple[str, Iterable[str]]:
    """The separator of these lines, and all of them again."""
    sample = lines.readlines(_SAMPLE)
    return separator_of_log("".join(sample)), chain(sample, lines)
