"""The words around the charts: which line, panel and border says what. Draws no chart, holds nothing.

What they say is put together elsewhere; here is who says it, by the room that there is.
"""

from typing import TYPE_CHECKING, Any, Final

from textual.screen import Screen

from gdtui.chart.scene.palette import variant_colour
from gdtui.chart.widget.chart import Chart
from gdtui.state.variant import VariantState
from gdtui.view.text import crosshair, figures, screen_text
from gdtui.view.text.gauges import gauges
from gdtui.view.text.styled import NEW_LINE, StyledText
from gdtui.view.text.styled import lines as one_below_another
from gdtui.widgets.line import Line
from gdtui.widgets.spread import Spread
from gdtui.widgets.variant import VariantPanel

if TYPE_CHECKING:
    from gdtui.live_view import LiveView

_GAUGED: Final = 3
"""Rows of figures from which one is for what was measured beside the loss."""
_BORDER: Final = 2
_PLACE: Final = 3
"""Cells before a name in a line."""
_ROOMY: Final = 84
_SHORT_NAME: Final = 10


def write_figures(screen: Screen[Any], live: "LiveView") -> None:
    """Header, lines, panels, and what stands below a chart that fills the screen."""
    _arrange(screen, live)
    screen.set_class(live.store.has_validation, "-validated")
    header = screen.query_one("#header", Line)
    header.say(screen_text.header(live.store, header.content_size.width, live.source.now(), live.source.role))
    lines = screen.query_one("#lines", Line)
    width = lines.content_size.width
    if lines.display:
        lines.say(one_below_another(_line(live, one, width) for one in live.store.states))
    is_read_out = lines.display and live.explorer.cursor is not None
    heading = crosshair.heading(_columns(width)) if is_read_out else ""
    screen.query_one("#overlay", Chart).caption(heading)
    for one, panel in zip(live.store.states, live.panels, strict=False):
        panel.set_class(live.view.selected == one.index, "-selected")
        panel.set_class(live.view.selected not in (None, one.index), "-unselected")
        _write_panel(live, one, panel)


def _arrange(screen: Screen[Any], live: "LiveView") -> None:
    """Whether one chart fills the screen, and whose."""
    screen.set_class(live.view.focus, "-focus")
    screen.set_class(live.alone is not None, "-alone")
    if live.alone is not None:
        line = screen.query_one("#focused", Line)
        width = line.content_size.width
        rows = line.content_size.height - 1
        line.say(screen_text.alone(live.alone, live.store, width, *_words(live, live.alone, width, rows)))
        colour = variant_colour(live.alone.index, live.view.colours)
        screen.query_one("#spread", Spread).tell(live.alone, screen.query_one("#overlay", Chart), colour)


def _write_panel(live: "LiveView", one: VariantState, panel: VariantPanel) -> None:
    size = panel.figures.content_size
    above, below = _words(live, one, size.width, size.height)
    panel.settings.say(above)
    panel.figures.say(below)
    panel.spread.tell(one, panel.chart, variant_colour(one.index, live.view.colours))
    panel.say_heading(one.tally.settings.accumulation_steps, is_selected=live.view.selected == one.index)
    panel.say_state(*screen_text.state_and_device(one, live.store))


def _words(live: "LiveView", one: VariantState, width: int, rows: int) -> tuple[StyledText, StyledText]:
    """Settings and figures, as the variant stands; under the crosshair, as it was there."""
    if live.explorer.cursor is None:
        return screen_text.settings(one, width), _figures(live, one, width, rows)
    batch = live.explorer.under_cursor(one)
    return crosshair.settings(batch, width), crosshair.figures(batch, width)


def _figures(live: "LiveView", one: VariantState, width: int, rows: int) -> StyledText:
    """So many rows; where there is room for three, the last says what was measured beside the loss."""
    if rows < _GAUGED or screen_text.trouble(one):
        return figures.rows(one, live.store, live.view.smoothing, width, rows)
    said = figures.rows(one, live.store, live.view.smoothing, width, rows - 1)
    return said + NEW_LINE + gauges(one, width)


def _line(live: "LiveView", one: VariantState, width: int) -> StyledText:
    is_selected = one.index == live.view.selected
    if live.explorer.cursor is None:
        return figures.line(one, live.store, live.view.smoothing, selected=is_selected, width=width)
    name = screen_text.name(one, selected=is_selected, width=_name_width(width))
    return name + crosshair.line(live.explorer.under_cursor(one), _columns(width))


def _name_width(width: int) -> int:
    """Cells of a name in a line with all that the crosshair reads out."""
    return screen_text.NAME if width >= _ROOMY else _SHORT_NAME


def _columns(width: int) -> int:
    """Cells of such a line that are left; under the end of the border above it no heading can stand."""
    return max(0, width - _name_width(width) - _PLACE - _BORDER)
