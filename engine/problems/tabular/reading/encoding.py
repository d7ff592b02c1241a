"""The encoding of a text file: by its byte-order mark, or UTF-8; others are named, never guessed.

charset-normalizer was tried on twelve files of one line each, repeated: it took cp1252 for cp775
and Latin-1 for cp1250. A wrong guess would change words silently, so that the user is asked.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from engine.problems.tabular.location import DataFileError, FileLocation
from engine.settings import SettingsError

UTF8: Final = "utf-8-sig"
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FORMATS: Final = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive: save its sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save its sheet as CSV"),
    (b"\x1f\x8b", "compressed by gzip: decompress it first"),
    (b"BZh", "compressed by bzip2: decompress it first"),
    (b"\xfd7zXZ", "compressed by xz: decompress it first"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: decompress it first"),
    (b"PAR1", "Parquet: give it a name that ends in .parquet"),
    (b"SQLite format 3", "an SQLite database: export the table as CSV"),
    (b"\x89HDF", "HDF5: save the table as CSV or Parquet"),
    (b"%PDF", "a PDF"),
)
"""Starts of files that are no text, and what to do with them."""
_SUGGESTED: Final = ("cp1252", "shift_jis", "gb18030", "cp1252", "latin-1")
"""Encodings in the order of trial: cp1252 first for letters of Western Europe, then for any."""
_WESTERN: Final = re.compile("[À-ÖØ-öø-ÿŒœŠšŽžŸ–—‘’“”…°£€²³µ«»§©®±·½]")
_SHOWN: Final = 24
"""Characters of a line that show whether an encoding is the right one."""


def encoding_of(location: FileLocation, asked: str | None) -> str:
    """The encoding to read the file in; SettingsError for a name that Python does not know."""
    if asked is not None:
        try:
            info = codecs.lookup(asked)
        except LookupError:
            raise SettingsError(
                f"--encoding {asked}: unknown; try utf-8, cp1252 or utf-16"
            ) from None
        if not info._is_text_encoding:
            raise SettingsError(f"--encoding {asked}: not an encoding of text")
        return UTF8 if info.name == "utf-8" else info.name
    with location.path.open("rb") as file:
        start = file.read(1 << 16)
    if found := next((name for mark, name in _MARKS if start.startswith(mark)), None):
        return found
    _refuse_other_formats(start, location)
    return UTF8


def _refuse_other_formats(start: bytes, location: FileLocation) -> None:
    """Raise DataFileError for files that are no text, or text that is no table."""
    if said := next((said for mark, said in _FORMATS if start.startswith(mark)), None):
        raise location.of_file().wrong(f"not a CSV file but {said}")
    if re.match(rb"\s*<(!doctype html|html|\?xml)", start, re.IGNORECASE):
        raise location.of_file().wrong("not a CSV file but a web page or XML")
    if re.match(rb'\s*(\[\s*)?\{\s*"', start):
        raise location.of_file().wrong("not a CSV file but JSON: convert it to CSV or Parquet")
    if b"\0" in start and (guess := _wide(start)):
        raise location.of_file().wrong(f"not UTF-8 text; --encoding {guess} would read it")


def undecodable(location: FileLocation, encoding: str) -> DataFileError:
    """The error for a file that is not text in that encoding: its first such line, and a remedy."""
    name = "UTF-8" if encoding == UTF8 else encoding
    for number, line in enumerate(_lines(location)):
        try:
            line.decode("utf-8" if encoding == UTF8 else encoding)
        except UnicodeDecodeError:
            hint = _suggestion(location, line)
            return location.of_file().wrong(f"not {name} text{hint}", line=number + 1)
    return location.of_file().wrong(f"not {name} text{_suggestion(location, b'')}")


def _lines(location: FileLocation) -> Iterator[bytes]:
    with location.path.open("rb") as file:
        yield from file


def _suggestion(location: FileLocation, line: bytes) -> str:
    """The option that would read the file, with the line as it would then be read."""
    with location.path.open("rb") as file:
        start = file.read(1 << 16)
    if guess := _wide(start):
        return f"; --encoding {guess} would read it"
    if b"\0" in start:
        return ""
    for place, name in enumerate(_SUGGESTED):
        try:
            text = line.decode(name).strip()
        except UnicodeDecodeError:
            continue
        if place == 0 and not _is_western(text):
            continue
        if text and text.replace("\t", " ").isprintable():
            shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
            return f"; --encoding {name} would read this line as {shown!r}"
    return ""


def _is_western(text: str) -> bool:
    """Most of the characters beyond ASCII are such as Western Europe writes."""
    odd = [each for each in text if not each.isascii()]
    return bool(odd) and sum(map(bool, map(_WESTERN.match, odd))) >= 0.8 * len(odd)


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of most text is 0."""
    pairs = len(start) // 2
    if pairs < 2:
        return None
    even, odd = start[0 : 2 * pairs : 2].count(0), start[1 : 2 * pairs : 2].count(0)
    if odd > 0.7 * pairs and even < 0.1 * pairs:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * pairs and odd < 0.1 * pairs else None
