"""Writes the words around the main screen's charts: lines, panels, borders. No charts, no state.

The texts come from gdtui/view/text; this module gives them to widgets as the space allows.
"""

from collections.abc import Sequence
from typing import Any, Final

from textual.screen import Screen

from gdtui.chart.scene.palette import variant_colour
from gdtui.chart.scene.picture import Scale
from gdtui.chart.widget.chart import Chart
from gdtui.control.viewer import Viewer
from gdtui.state.variant import VariantState
from gdtui.view.text import crosshair, screen_text
from gdtui.view.text.caveats.label import label
from gdtui.view.text.heading.header import header as header_text
from gdtui.view.text.panel import figures
from gdtui.view.text.panel.settings import settings as settings_in_force
from gdtui.view.text.styled import StyledText
from gdtui.view.text.styled import lines as one_below_another
from gdtui.widgets.line import Line
from gdtui.widgets.spread import Spread
from gdtui.widgets.variant import VariantPanel

_BORDER: Final = 2
_AROUND_PLACE: Final = 2
"""Cells that surround the number before a name in a line."""
_ROOMY: Final = 84
_SHORT_NAME: Final = 10


def write_figures(screen: Screen[Any], panels: Sequence[VariantPanel], viewer: Viewer) -> None:
    """Header, lines, panels, and the text below a chart that fills the screen."""
    _arrange(screen, viewer)
    screen.set_class(viewer.store.has_validation, "-validated")
    header = screen.query_one("#header", Line)
    source, room = viewer.source, header.content_size.width
    read = viewer.share_read
    header.show(header_text(viewer.store, room, source.now(), source.role, read))
    lines = screen.query_one("#lines", Line)
    width = lines.content_size.width
    if lines.display:
        y = screen.query_one("#overlay", Chart).y
        lines.show(one_below_another(_line(viewer, one, width, y) for one in viewer.store.states))
    is_read_out = lines.display and viewer.cursor is not None
    heading = crosshair.heading(_columns(viewer, width)) if is_read_out else ""
    screen.query_one("#overlay", Chart).caption(heading)
    for one, panel in zip(viewer.store.states, panels, strict=False):
        panel.show_selection(viewer.view.selected == one.index)
        _write_panel(viewer, one, panel)


def _arrange(screen: Screen[Any], viewer: Viewer) -> None:
    """Let one chart fill the screen, or all share it."""
    screen.set_class(viewer.view.focus, "-focus")
    screen.set_class(viewer.alone is not None, "-alone")
    if viewer.alone is not None:
        line = screen.query_one("#focused", Line)
        width = line.content_size.width
        rows = line.content_size.height - 1
        words = _words(viewer, viewer.alone, width, rows)
        line.show(screen_text.alone(viewer.alone, viewer.store, width, *words))
        colour = variant_colour(viewer.alone.hue, viewer.view.colours)
        screen.query_one("#spread", Spread).show(
            viewer.alone, screen.query_one("#overlay", Chart), colour
        )


def _write_panel(viewer: Viewer, one: VariantState, panel: VariantPanel) -> None:
    size = panel.figures.content_size
    above, below = _words(viewer, one, size.width, size.height)
    panel.settings.show(above)
    panel.figures.show(below)
    panel.spread.show(one, panel.chart, variant_colour(one.hue, viewer.view.colours))
    steps, is_selected = one.tally.settings.accumulation_steps, viewer.view.selected == one.index
    panel.show_heading(f"{one.index + 1} {label(one)}", steps, is_selected=is_selected)
    panel.show_state(*screen_text.state_and_device(one, viewer.store))


def _words(
    viewer: Viewer, one: VariantState, width: int, rows: int
) -> tuple[StyledText, StyledText]:
    """The variant's current settings and figures or, under the crosshair, those at that point."""
    if viewer.cursor is None:
        has_keys = viewer.is_trainer and viewer.view.selected in (None, one.index)
        settings = settings_in_force(one, width, has_keys=has_keys)
        return settings, figures.rows(one, viewer.store, viewer.view.smoothing, width, rows)
    batch = viewer.under_cursor(one)
    return crosshair.settings(batch, width), crosshair.figures(batch, width)


def _line(viewer: Viewer, one: VariantState, width: int, y: Scale | None) -> StyledText:
    is_selected = one.index == viewer.view.selected
    if viewer.cursor is None:
        return figures.line(
            one,
            viewer.store,
            viewer.view.smoothing,
            selected=is_selected,
            width=width,
            histogram=_histogram(one, y),
        )
    cells = _name_width(viewer, width)
    name = screen_text.name(one, viewer.store, cells, selected=is_selected)
    return name + crosshair.line(viewer.under_cursor(one), _columns(viewer, width))


def _histogram(one: VariantState, y: Scale | None) -> str:
    """The spread of the variant's losses on the chart's y axis, as beside the panels' charts."""
    if y is None:
        return ""
    from gdtui.chart.drawing.profile import inline  # numpy comes with the first data

    return inline(one.scatter, y, figures.HISTOGRAM)


def _name_width(viewer: Viewer, width: int) -> int:
    """Cells for a name in a line with everything that the crosshair reads out."""
    return screen_text.name_cells(viewer.store, width) if width >= _ROOMY else _SHORT_NAME


def _columns(viewer: Viewer, width: int) -> int:
    """Cells left over in such a line.

    No heading fits under the end of the border above the line.
    """
    place = screen_text.place_cells(viewer.store) + _AROUND_PLACE
    return max(0, width - _name_width(viewer, width) - place - _BORDER)
