"""Text with styles for the pure part of the program, which knows no widget library.

A style is a text such as "bold $error", to which the widget that shows it gives a meaning. Widths
are in cells, of which a Chinese character takes two.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

StyledPart = tuple[str, str]
"""Text and style."""


@dataclass(frozen=True, slots=True)
class StyledText:
    """Pieces of text, each in a style; "" is the style of plain text."""

    parts: tuple[StyledPart, ...] = ()

    @classmethod
    def of(cls, text: str, style: str = "") -> "StyledText":
        """A text in one style."""
        return cls(((text, style),)) if text else EMPTY

    @property
    def plain(self) -> str:
        """The text without styles."""
        return "".join([text for text, _ in self.parts])

    @property
    def cell_length(self) -> int:
        """The width in cells, without line breaks."""
        return sum([cells(text) for text, _ in self.parts])

    def __bool__(self) -> bool:
        return any(text for text, _ in self.parts)

    def __add__(self, other: "StyledText") -> "StyledText":
        return StyledText(self.parts + other.parts)

    def join(self, texts: Iterable["StyledText"]) -> "StyledText":
        """The texts joined, with this one between any two."""
        parts: list[StyledPart] = []
        for number, text in enumerate(texts):
            if number:
                parts += self.parts
            parts += text.parts
        return StyledText(tuple(parts))

    def truncate(self, width: int) -> "StyledText":
        """The text in at most `width` cells; one that is cut ends in "…"."""
        if self.cell_length <= width:
            return self
        kept = set_cell_size(self.plain, width - 1) + "…" if width else ""
        parts: list[StyledPart] = []
        start = 0
        for text, style in self.parts:
            if piece := kept[start : start + len(text)]:
                parts.append((piece, style))
            start += len(text)
        return StyledText(tuple(parts))

    def pad_right(self, count: int) -> "StyledText":
        """The text with this many spaces appended, without style."""
        return StyledText((*self.parts, (" " * count, ""))) if count > 0 else self

    def split(self, separator: str) -> list["StyledText"]:
        """The texts between the separators."""
        found: list[list[StyledPart]] = [[]]
        for text, style in self.parts:
            first, *others = text.split(separator)
            found[-1].append((first, style))
            found += [[(other, style)] for other in others]
        return [StyledText(tuple(part for part in each if part[0])) for each in found]


EMPTY = StyledText()
NEW_LINE = StyledText((("\n", ""),))


def cells(text: str) -> int:
    """The width of a text in cells."""
    return len(text) if text.isascii() and text.isprintable() else cell_len(text)


def lines(texts: Iterable[StyledText]) -> StyledText:
    """The texts stacked, one per line."""
    return NEW_LINE.join(texts)
