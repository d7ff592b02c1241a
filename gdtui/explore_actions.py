"""The app's actions and messages that move through the history: each is passed on to the explorer."""

from gdtui.app_part import AppPart
from gdtui.chart.widget.chart import Chart


class ExploreActions(AppPart):
    """A part of the app."""

    def action_axis(self) -> None:
        self.live.explorer.next_axis()

    def action_zoom(self, steps: int) -> None:
        self.live.explorer.zoom(steps)

    def action_pan(self, steps: int) -> None:
        self.live.explorer.pan(steps)

    def action_whole(self) -> None:
        self.live.explorer.show_whole()

    def action_follow(self) -> None:
        self.live.explorer.follow()

    def action_cursor(self, columns: int) -> None:
        self.live.move_cursor(columns)

    def action_hide(self) -> None:
        """What lies on top: the results, else the crosshair."""
        if not self.live.hide_summary():
            self.live.explorer.hide_cursor()

    def on_chart_hovered(self, message: Chart.Hovered) -> None:
        self.live.explorer.hover(message)

    def on_chart_zoomed(self, message: Chart.Zoomed) -> None:
        self.live.explorer.zoom_at(message)

    def on_chart_dragged(self, message: Chart.Dragged) -> None:
        self.live.explorer.drag(message)

    def on_chart_reset(self) -> None:
        self.live.explorer.show_whole()
