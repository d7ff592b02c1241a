"""Text that changes often but keeps its size: only the words that changed are repainted."""

from collections.abc import Iterable, Iterator, Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region
from textual.selection import Selection
from textual.widgets import Static

from gdtui.terminal.partial_update import Spanned, cut
from gdtui.view.text.styled import StyledText

Row = list[Segment]


class Line(Static, Spanned):
    """Text of a fixed size; no layout pass when it changes."""

    _said: StyledText | Content | None = None
    _rows: list[Row] | None = None
    """The text row by row, as sent to the terminal.

    None when Textual must lay it out because it wraps or is selected.
    """
    _inks: dict[str, Style | None] | None = None
    """Styles as sent to the terminal, by name; None after a change of theme."""

    def show(self, text: StyledText | Content) -> None:
        """Show this text from now on."""
        said, self._said = self._said, text
        if said is not None and _is_same(said, text):
            return
        before, self._rows = self._rows, self._laid_out(text)
        if before is None or self._rows is None or len(before) != len(self._rows):
            self.refresh()
        elif changed := [*_changes(before, self._rows)]:
            self.refresh(*changed)

    def render(self) -> RenderResult:
        if self._said is None:
            return super().render()
        return as_content(self._said) if isinstance(self._said, StyledText) else self._said

    def render_span(self, y: int, start: int, stop: int) -> Iterable[Segment] | None:
        if self._rows is None or y >= len(self._rows):
            return None
        return [*cut(self._rows[y], start, stop)]

    def _laid_out(self, text: StyledText | Content) -> list[Row] | None:
        width, height = self.size
        if self.text_selection is not None:
            return None
        rows: list[Row] = [[]]
        for part, sent in self._parts(text):
            for number, piece in enumerate(part.split("\n")):
                if number:
                    rows.append([])
                if piece:
                    rows[-1].append(Segment(piece, sent))
        free = [width - sum(segment.cell_length for segment in row) for row in rows]
        if len(rows) > height or min(free) < 0:
            return None
        blank = self.sent(self.visual_style.background_style.rich_style)
        return [[*row, Segment(" " * cells, blank)] for row, cells in zip(rows, free, strict=True)]

    def _parts(self, text: StyledText | Content) -> Iterator[tuple[str, Style | None]]:
        """Pieces of the text, and their styles as sent to the terminal."""
        if isinstance(text, StyledText):
            for part, name in text.parts:
                yield part, self._ink(name)
        else:
            for part, style in text.render(self.visual_style, "", self._get_style):
                yield part, self.sent(style.rich_style)

    def _ink(self, name: str) -> Style | None:
        if self._inks is None:
            self._inks = {}
        if name not in self._inks:
            style = self.visual_style + self._get_style(name)
            self._inks[name] = self.sent(style.rich_style)
        return self._inks[name]

    # --- What forces a new layout -----------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        self._rows = None

    def notify_style_update(self) -> None:
        """The theme changed, or a class that affects colours."""
        super().notify_style_update()
        self._rows = self._inks = None

    def selection_updated(self, selection: Selection | None) -> None:
        """The selection changed."""
        self._rows = None
        super().selection_updated(selection)


def _is_same(text: StyledText | Content, other: StyledText | Content) -> bool:
    if isinstance(text, StyledText) or isinstance(other, StyledText):
        return text == other
    return (text.plain, text.spans) == (other.plain, other.spans)


def as_content(text: StyledText) -> Content:
    """The text as Textual content; the theme resolves the styles."""
    return Content.assemble(*text.parts)


def _changes(before: Sequence[Row], after: Sequence[Row]) -> Iterable[Region]:
    """The part of each row that changed."""
    for y, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            left = _alike(old, new)
            width = sum(segment.cell_length for segment in new)
            yield Region(left, y, width - left - _alike(old[::-1], new[::-1]), 1)


def _alike(row: Row, other: Row) -> int:
    """Width in cells of the segments that both rows start with."""
    cells = 0
    for segment, other_segment in zip(row, other, strict=False):
        if segment != other_segment:
            break
        cells += segment.cell_length
    return cells
