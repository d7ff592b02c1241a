"""The rows of a text file as Python's csv module reads them, with the lines at which they begin."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final

from engine.problems.tabular.location import FileLocation
from engine.problems.tabular.reading.dialect import SPACE, UNIT, shown_separator, spaced
from engine.problems.tabular.reading.encoding import UTF8, undecodable

_BLOCK: Final = 1 << 23


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The form of a text file."""

    encoding: str
    separator: str
    has_header: bool
    skipped: int = 0
    """Lines before the table."""

    @property
    def described(self) -> str:
        """The form in words, as far as it is not the usual one."""
        parts = []
        if self.encoding != UTF8:
            parts.append(self.encoding)
        if self.separator != ",":
            parts.append(f"separator {shown_separator(self.separator)}")
        return ", ".join(parts)


def open_text(location: FileLocation, encoding: str) -> IO[str]:
    """The file as text, its line breaks as they are."""
    return location.path.open(encoding=encoding, newline="")


class NumberedRows:
    """The rows of the file with the lines at which they begin, as Python's csv module reads them.

    Slower than pyarrow by far: for the first row, and for the place of what is wrong.
    """

    def __init__(self, location: FileLocation, dialect: Dialect) -> None:
        self.location, self.dialect = location, dialect
        is_spaced = dialect.separator == SPACE
        self.delimiter = UNIT if is_spaced else dialect.separator
        self.width = 0
        self.header_lines = 0
        """Lines before the first row of values."""
        self.unnamed: set[str] = set()

    @property
    def may_be_quoted(self) -> bool:
        """True where a field may hold a line break; pyarrow splits files without at any line."""
        if self.dialect.encoding not in (UTF8, "cp1252", "iso8859-1"):
            return True
        with self.location.path.open("rb") as file:
            while block := file.read(_BLOCK):
                if b'"' in block:
                    return True
        return False

    def source(self) -> tuple[Any, str]:
        """A file for pyarrow, and its encoding."""
        encoding = self.dialect.encoding
        if self.dialect.separator == SPACE:
            return io.BytesIO("\n".join(self._lines()).encode()), "utf8"
        return str(self.location.path), "utf8" if encoding == UTF8 else encoding

    def names(self) -> tuple[str, ...]:
        """The columns' names: of the first row, or made up; DataFileError where they name none."""
        begins, first, ends = next(self._numbered(), (self.dialect.skipped + 1, [], 0))
        self.width = len(first)
        self.header_lines = ends if self.dialect.has_header else begins - 1
        if not self.dialect.has_header:
            return tuple(f"column{place}" for place in range(1, len(first) + 1))
        names = [name.strip() for name in first]
        if not any(names):
            raise self.location.wrong("the first line must name the columns", line=begins)
        twice = [name for name, count in Counter(names).items() if count > 1 and name]
        if twice:
            raise self.location.of(f"column {twice[0]!r}").wrong(
                "the name appears twice; if the first line is a row, use --no-header", line=begins
            )
        return tuple(name or self._unnamed(place, names) for place, name in enumerate(names, 1))

    def _unnamed(self, place: int, names: list[str]) -> str:
        name = f"column{place}"
        while name in names:
            name += "_"
        self.unnamed.add(name)
        return name

    def line(self, row: int) -> int:
        """The line at which that row begins; both count the first one, rows from 0."""
        found = next(islice(self._numbered(), row, None), None)
        return row + 1 if found is None else found[0]

    def check(self, width: int) -> None:
        """Raise DataFileError for the first row that has not `width` fields or is never closed."""
        is_longer = True
        wrong: tuple[int, int] | None = None
        first = last = self.dialect.skipped + 1
        for line, row, _ in self._numbered():
            last = line
            if len(row) != width and wrong is None:
                wrong = line, len(row)
            is_longer = is_longer and (len(row) > width or line == first)
        if self._is_open(last):
            raise self.location.wrong("a quote is never closed", line=last)
        if wrong is None:
            return
        line, fields = wrong
        if is_longer and self.dialect.has_header:
            raise self.location.wrong("its rows have more fields than its first line has names")
        counted = "1 field" if fields == 1 else f"{fields} fields"
        raise self.location.wrong(f"{counted}, not {width}", line=line)

    def _is_open(self, line: int) -> bool:
        """The row that begins there, the last one, lacks a closing quote."""
        text = list(islice(self._lines(), line - 1, None))
        try:
            list(csv.reader(text, delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            return "unexpected end of data" in str(error)
        return False

    def _numbered(self) -> Iterator[tuple[int, list[str], int]]:
        """The rows that are not blank, each with the lines at which it begins and ends."""
        skipped = self.dialect.skipped
        lines = islice(self._lines(), skipped, None)
        reader = csv.reader(lines, delimiter=self.delimiter)
        begins = skipped + 1
        try:
            for row in reader:
                if row:
                    yield begins, row, skipped + reader.line_num
                begins = skipped + reader.line_num + 1
        except csv.Error as error:
            raise self.location.wrong(str(error), line=begins) from None
        except (UnicodeDecodeError, UnicodeError):
            raise undecodable(self.location, self.dialect.encoding) from None

    def _lines(self) -> Iterator[str]:
        with open_text(self.location, self.dialect.encoding) as file:
            if self.dialect.separator == SPACE:
                yield from (spaced(line.rstrip("\r\n")) for line in file)
            else:
                yield from file
