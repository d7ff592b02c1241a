"""Locations in a data file, worded so that the user can find them."""

import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.log.filesystem.safe_open import kind_of
from engine.problems.error_messages import shown
from engine.settings import SettingsError


class DataFileError(SettingsError):
    """A data file that cannot be used; the message says where the problem is, and why."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLocation:
    """A file, or a column or array in it."""

    path: Path
    name: str = ""
    """The part of the file, e.g. "column 'price'" or "array y_test"; "" for the whole file."""
    unit: str = "row"
    """The word for a sample in this file: line or row."""
    first: int = 1
    """The number of the first sample."""
    line_of: Callable[[int], int] | None = None
    """The line at which a sample begins, where samples may take several lines each."""

    def of(self, name: str) -> "FileLocation":
        """The location of a column or array in the same file."""
        return replace(self, name=name)

    def of_file(self) -> "FileLocation":
        """The file as a whole."""
        return replace(self, name="")

    def wrong(
        self, what: str, sample: int | None = None, *, line: int | None = None
    ) -> DataFileError:
        """The error to raise; `sample` counts from 0, `line` from 1."""
        parts = [shown(self.path)]
        if self.name:
            parts.append(self.name)
        if sample is not None:
            number = self.first + sample if self.line_of is None else self.line_of(sample)
            parts.append(f"{self.unit} {number:,}")
        elif line is not None:
            parts.append(f"line {line:,}")
        return DataFileError(f"{', '.join(parts)}: {what}", self.path)


def check_readable(path: Path) -> None:
    """Raise SettingsError unless `path` is a readable regular file: a pipe might never end."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DataFileError(f"{shown(path)} is {kind_of(found)}, not a data file", path)
        with path.open("rb"):
            pass
    except OSError as error:
        raise DataFileError(f"cannot read {shown(path)}: {error.strerror}", path) from None
    if not found.st_size:
        raise DataFileError(f"{shown(path)}: the file is empty", path)
