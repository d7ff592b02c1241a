"""Paints only what changed on the screen: asks the widget in front for the changed cells.

For a partial update, Textual 8.2 renders every line of every widget in the rectangle around all
changes, and crops on the right only. With charts that move in every corner of 160×45 that is the
whole screen, which took two fifths of a frame's time and, for one new dot, sent a whole line. On
its way from a widget to the terminal, each change also woke three tasks and a timer; `painting`
sends all changes of a frame at once instead. A Textual version without the internals that this
module needs is left alone.
"""

import contextlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final, Self
from weakref import WeakSet

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import Compositor, CompositorUpdate
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

_NEEDED: Final = ("layers_visible", "render_partial_update", "_dirty_regions", "_regions_to_spans")
_OF_SCREEN: Final = ("_compositor", "_dirty_widgets", "_layout_required", "_scroll_required",
                     "_repaint_required", "_recompose_required", "_layout_cache",
                     "_set_dirty")  # fmt: skip
_OF_APP: Final = ("_background_screens", "_batch_count", "_display")

Piece = tuple[int, int, Iterable[Segment]]
"""Row and column on the screen, and the text there."""
Place = tuple[Widget, Region, Region]
"""A widget, its visible region on the screen, and its whole region."""


class Spanned(Widget):
    """A widget that can render a part of one of its lines faster than the whole line."""

    @abstractmethod
    def render_span(self, y: int, start: int, stop: int) -> Iterable[Segment] | None:
        """The cells start…stop−1 of line y of its content, as sent to the terminal.

        None means that the whole line must be rendered.
        """

    _changed: "ClassVar[set[Spanned] | None]" = None
    """The widgets of which parts have changed in this frame; None between frames."""

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Repaint; parts that change while a frame is drawn are sent with this frame."""
        changed = Spanned._changed
        is_partial = repaint and bool(regions) and not (layout or recompose)
        if changed is None or not is_partial or not self._is_mounted:
            return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        self._layout_cache.clear()  # it also holds what `render` returned last
        self._set_dirty(*regions)
        changed.add(self)
        return self

    _known_size: tuple[Size, Size] | None = None
    """The size with and without the border; None after a change of style."""

    @property
    def size(self) -> Size:
        """The size of the content, for which Textual looks the widget up in the whole layout."""
        outer, known = self.outer_size, self._known_size
        if known is not None and known[0] == outer:
            return known[1]
        size = super().size
        if size:  # it is 0 while the widget is not in the layout
            self._known_size = outer, size
        return size

    _sent: dict[Style, Style | None] | None = None
    """Styles after the line filters, by the style before; None after a change of theme."""

    def sent(self, style: Style) -> Style | None:
        """The rest of a style after the app's line filters, which may remove colours."""
        if self._sent is None:
            self._sent = {}
        if style not in self._sent:
            segments = [Segment(" ", style)]
            for each in self.get_line_filters():
                segments = each.apply(segments, self.background_colors[1])
            self._sent[style] = segments[0].style
        return self._sent[style]

    def notify_style_update(self) -> None:
        """The theme changed, or a class that affects colours."""
        super().notify_style_update()
        self._sent = self._known_size = None


class SpansUpdate(CompositorUpdate):
    """The changed cells of a screen."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces

    def render_segments(self, console: Console) -> str:
        """The escape sequences that paint it."""
        colours = console._color_system or ColorSystem.TRUECOLOR
        by_style: dict[Style | None, list[str]] = {}
        # By style, since the sequence of a style takes five times the bytes of a place.
        for y, x, segments in self.pieces:
            for segment in segments:
                placed = f"\x1b[{y + 1};{x + 1}H{segment.text}"
                by_style.setdefault(segment.style, []).append(placed)
                x += segment.cell_length
        return "".join(
            text if style is None else Strip.render_style(style, text, colours)
            for style, text in ((style, "".join(texts)) for style, texts in by_style.items())
        )


@contextlib.contextmanager
def painting(screen: Screen[Any]) -> Iterator[None]:
    """Send what changes in the screen's `Spanned` widgets in this context when it ends."""
    if Spanned._changed is not None or not _can_send(screen):
        yield
        return
    Spanned._changed = changed = set[Spanned]()
    try:
        yield
    finally:
        Spanned._changed = None
        if changed:
            _send(screen, changed)


_able: Final = WeakSet[Screen[Any]]()
"""The screens that are known to have all that `_send` needs."""


def _can_send(screen: Screen[Any]) -> bool:
    if screen in _able:  # to look at properties takes time
        return True
    has_all = all(hasattr(screen, name) for name in _OF_SCREEN)
    has_all = has_all and all(hasattr(screen.app, name) for name in _OF_APP)
    if has_all:
        _able.add(screen)
    return has_all


def _send(screen: Screen[Any], changed: set[Spanned]) -> None:
    """Send the changed parts now or, if more than these must be painted, with the rest."""
    compositor, app = screen._compositor, screen.app
    hidden = changed - compositor.visible_widgets.keys()
    for widget in hidden:
        widget.refresh()
    screen._dirty_widgets |= changed - hidden
    waits = (
        app._batch_count
        or screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
    )
    if waits or app.is_inline or screen is not app.screen:
        screen.check_idle()
        return
    compositor.update_widgets(screen._dirty_widgets)
    screen._dirty_widgets.clear()
    app._display(screen, compositor.render_update(screen_stack=app._background_screens))


def install() -> None:
    """Make partial updates of spans from now on. Once is enough; twice does no harm."""
    compositor = Compositor()
    if all(hasattr(compositor, name) for name in _NEEDED):
        Compositor.render_partial_update = _partial_update  # type: ignore[method-assign,assignment]


def _partial_update(compositor: Compositor) -> SpansUpdate | None:
    """The cells that have changed since the last update; None when none have."""
    screen = compositor.size.region
    changed = [region.intersection(screen) for region in compositor._dirty_regions]
    compositor._dirty_regions.clear()
    if not changed:
        return None
    asked = _Asked()
    pieces: list[Piece] = []
    for y, start, stop in compositor._regions_to_spans(changed):
        for place, first, last in _in_front(compositor.layers_visible[y], start, stop):
            pieces.append((y, first, asked.cells(place, y, first, last)))
    return SpansUpdate(pieces)


def _in_front(places: Sequence[Place], start: int, stop: int) -> Iterator[tuple[Place, int, int]]:
    """The widgets visible in columns start…stop−1 of a line, all from `places`, foremost first."""
    for number, place in enumerate(places):
        first, last = max(start, place[1].x), min(stop, place[1].right)
        if first < last:
            behind = places[number + 1 :]
            if start < first:
                yield from _in_front(behind, start, first)
            yield place, first, last
            if last < stop:
                yield from _in_front(behind, last, stop)
            return


class _Asked:
    """The lines of widgets for one update, each requested from its widget only once."""

    def __init__(self) -> None:
        self._lines: dict[Widget, list[Strip]] = {}
        self._contents: dict[Spanned, Region] = {}

    def cells(self, place: Place, y: int, start: int, stop: int) -> Iterable[Segment]:
        """The cells start…stop−1 of one widget on line y of the screen."""
        widget, seen, whole = place
        if isinstance(widget, Spanned):
            if widget not in self._contents:
                self._contents[widget] = Region.from_offset(
                    whole.offset + widget.content_offset, widget.size
                )
            left, top, width, height = self._contents[widget]
            if top <= y < top + height and left <= start and stop <= left + width:
                segments = widget.render_span(y - top, start - left, stop - left)
                if segments is not None:
                    return segments
        if widget not in self._lines:
            self._lines[widget] = widget.render_lines(seen.translate(-whole.offset))
        return list(cut(self._lines[widget][y - seen.y], start - seen.x, stop - seen.x))


def cut(segments: Iterable[Segment], start: int, stop: int) -> Iterator[Segment]:
    """The cells start…stop−1; Strip.crop would make another strip, with all its caches."""
    end = 0
    for segment in segments:
        left, end = end, end + segment.cell_length
        if end <= start or left >= stop:
            continue
        if end > stop:
            segment, _ = segment.split_cells(stop - left)
        if left < start:
            _, segment = segment.split_cells(start - left)
        yield segment
