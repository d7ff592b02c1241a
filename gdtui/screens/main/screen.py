"""The main screen's keys: each becomes a command to the run, a view of it, or another screen.

Says nothing of how a command is carried out or a picture drawn.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.screen import Screen

from gdtui.chart.widget.chart import Chart
from gdtui.keys import table
from gdtui.screens.main.live import Context, LiveScreen

if TYPE_CHECKING:
    from engine.settings import VariantSettings
    from gdtui.control.explorer import Explorer
    from gdtui.control.lab import Holder, Lab

_LAB_SECONDS: Final = 0.1
"""Between two polls of what is measured beside the run."""


class MainScreen(LiveScreen):
    """The screen that keys act on, also while another one lies over it."""

    BINDINGS: ClassVar[list[BindingType]] = [*table.bindings()]

    def __init__(self, context: Context, make_lab: "Callable[[Holder], Lab] | None" = None) -> None:
        """`make_lab` None: one whose work runs in processes."""
        super().__init__(context)
        self._make_lab = make_lab
        self._lab: Lab | None = None

    # --- Which variants, and commands to them ---------------------------------------------------

    def action_select(self, place: int) -> None:
        """One variant, or all of them (0)."""
        if place > len(self.viewer.store.states):
            self.context.show_notes([f"there is no variant {place}"])
            return
        self.look(selected=place - 1 if place else None)

    def action_batch(self, step: int) -> None:
        self._sent(self.controller.batch(self.viewer.chosen, step))

    def action_lr(self, step: int) -> None:
        self._sent(self.controller.lr(self.viewer.chosen, step))

    def action_accumulation(self, step: int) -> None:
        self._sent(self.controller.accumulation(self.viewer.chosen, step))

    def action_accumulate(self) -> None:
        self._sent(self.controller.accumulate(self.viewer.chosen))

    def action_momentum(self) -> None:
        self._sent(self.controller.momentum(self.viewer.chosen))

    def action_edit(self) -> None:
        """A form for exact values."""
        from gdtui.screens.edit import EditScreen

        if not self.controller.is_ours:
            self.context.show_notes([self.controller.refusal])
            return
        self.app.push_screen(EditScreen(self.viewer.chosen), self._edited)

    def _edited(self, settings: "dict[str, VariantSettings] | None") -> None:
        if settings:
            self._sent(self.controller.apply(settings))

    def action_restart(self) -> None:
        self._sent(self.controller.restart(self.viewer.chosen))

    def action_scaling(self, restart: bool) -> None:
        self._sent(self.controller.scaling(restart))

    def action_pause(self) -> None:
        self._sent(self.controller.pause())

    def action_step(self) -> None:
        self._sent(self.controller.step(self.viewer.chosen))

    def action_extend(self) -> None:
        self._sent(self.controller.extend())

    def action_pace(self, step: int) -> None:
        self._sent(self.controller.pace(step))

    def action_free(self) -> None:
        self._sent(self.controller.free())

    def action_measure(self) -> None:
        """Noise scale and sharpness of the selected, at once."""
        self._sent(self.controller.measure(self.viewer.chosen))

    def action_measuring(self) -> None:
        """Measuring on or off."""
        self._sent(self.controller.measuring())

    def _sent(self, notes: list[str]) -> None:
        """After a command: show its notes, and what is pending at once."""
        self.context.show_notes(notes)
        self.tick(figures=True)

    # --- The view -------------------------------------------------------------------------------

    def action_log(self) -> None:
        self.look(log=not self.viewer.view.log)

    def action_smoothing(self) -> None:
        self.look(smoothing=self.viewer.view.next_smoothing)

    def action_raw(self) -> None:
        self.look(raw=not self.viewer.view.raw)

    def action_ghosts(self) -> None:
        has_ghosts = self.viewer.toggle_ghosts()
        self.look()
        if not has_ghosts:
            self.context.show_notes(
                ["there are no ghosts: a restart (r, S) leaves the curve before as one"]
            )

    def action_fill(self) -> None:
        """One chart over the whole screen, or back."""
        view = self.viewer.view
        if not (view.focus or self.query_one("#panels").display) and view.selected is None:
            self.context.show_notes(
                [
                    "the chart of all fills the screen: select a variant (by its number) to see it "
                    "alone"
                ]
            )
            return
        self.look(focus=not view.focus)
        self.call_after_refresh(self.tick)  # in the room that there is then

    def action_summary(self) -> None:
        """Show or hide the results."""
        if not self.show_summary(None):
            self.context.show_notes(
                ["there are no results yet: they come when all variants have ended"]
            )

    def action_hide(self) -> None:
        """Hide what lies on top: the results, else the crosshair."""
        if not self.hide_summary():
            self.explorer.hide_cursor()
            self.look()

    def action_stills(self) -> None:
        """The screen that is in front, and the selected chart, as files."""
        from gdtui.export.screenshot import StillsError, save

        svg = self.app.export_screenshot(title=f"gdtui · {self.context.run.info.settings.title}")
        try:
            self.context.show_notes([save(self.viewer, svg, self.app.size, self.app.current_theme)])
        except StillsError as error:
            self.context.show_notes([str(error)], "error")

    # --- The way through the history ------------------------------------------------------------

    @cached_property
    def explorer(self) -> "Explorer":
        """Moves window and crosshair; made when first asked for."""
        from gdtui.control.explorer import Explorer

        return Explorer(self.viewer)

    def action_axis(self) -> None:
        self.explorer.next_axis()
        self.look()

    def action_zoom(self, steps: int) -> None:
        self.explorer.zoom(steps)
        self._moved()

    def action_pan(self, steps: int) -> None:
        self.explorer.pan(steps)
        self._moved()

    def action_whole(self) -> None:
        self.explorer.show_whole()
        self._moved()

    def action_follow(self) -> None:
        self.explorer.follow()
        self._moved()

    def action_cursor(self, steps: int) -> None:
        """The crosshair so many columns to the right, in all charts; the first seen one counts."""
        chart = next((chart for chart in self.query(Chart) if chart.is_on_screen), None)
        if chart is not None and chart.cell_columns is not None:
            self.explorer.move_cursor(chart.cell_columns, steps)
            self._moved()

    def _moved(self) -> None:
        """Show where a key has moved to; the results are not in its way."""
        self.show_summary(False)
        self.look()

    def on_chart_zoomed(self, message: Chart.Zoomed) -> None:
        self.explorer.zoom_at(message.seen, message.share, message.factor)
        self.glance()

    def on_chart_dragged(self, message: Chart.Dragged) -> None:
        if self.explorer.drag(message.seen, message.share):
            self.glance()

    def on_chart_reset(self) -> None:
        self.action_whole()

    def on_chart_hovered(self, message: Chart.Hovered) -> None:
        if self.explorer.hover(message.x, has_moved=message.has_moved):
            self.glance()

    # --- Screens over this one ------------------------------------------------------------------

    def action_explain(self) -> None:
        """The view in words."""
        from gdtui.screens.pages.explain import ExplainScreen

        viewer = self.viewer
        self._open(ExplainScreen(viewer.store, viewer.view.selected, is_ours=viewer.is_trainer))

    def action_tables(self) -> None:
        """lr by batch size, and the trade-offs of batch sizes."""
        from gdtui.screens.pages.tables import TablesScreen

        self._open(TablesScreen(self.viewer.store))

    def action_code(self) -> None:
        """The selected variant, or the first, as a command line and a plain loop."""
        from gdtui.screens.pages.code import CodeScreen

        self._open(
            CodeScreen(self.viewer.store.states, self.viewer.view.selected or 0, self.context.run)
        )

    def action_trends(self) -> None:
        """Sharpness and noise scale over training."""
        from gdtui.screens.trends import TrendsScreen

        self._open(TrendsScreen(self, self.viewer, is_watching=not self.controller.is_ours))

    def action_landscape(self) -> None:
        """The loss on a plane through the weights, and the trajectories on it."""
        from gdtui.screens.landscape import LandscapeScreen

        self._open(LandscapeScreen(self, self.context.run))

    def action_experiments(self) -> None:
        """The lesson's claims, each tested over many seeds."""
        from gdtui.screens.lab.experiments import ExperimentsScreen

        self._open(ExperimentsScreen(self.lab, self.viewer.store))

    def action_sweep(self) -> None:
        """The trade-off table, measured."""
        from gdtui.screens.lab.sweep import SweepScreen

        viewer = self.viewer
        self._open(SweepScreen(self.lab, viewer.store, self.controller, viewer.view.selected or 0))

    def _open(self, screen: Screen[None]) -> None:
        """Lay a screen over this one; training goes on."""
        self.app.push_screen(screen)

    # --- Measured beside the run ----------------------------------------------------------------

    @property
    def lab(self) -> "Lab":
        """Runs experiments and sweeps; made when first asked for."""
        if self._lab is None:
            from gdtui.control.lab import Lab

            self._lab = (self._make_lab or Lab)(self.controller)
            self.set_interval(_LAB_SECONDS, self.poll_lab)
        return self._lab

    def poll_lab(self) -> None:
        """Take in the progress of what runs there; note its end unless its screen is in front."""
        from gdtui.screens.lab.lab import LabScreen

        ended = self.lab.look()
        if isinstance(self.app.screen, LabScreen):
            self.app.screen.show()
        elif ended is not None:
            from gdtui.view.text.lab_text import outcome

            self.context.show_notes([f"{ended.name}: {outcome(ended.end)}"])

    def close_lab(self) -> None:
        """End what runs there, so that no process outlives the program."""
        if self._lab is not None:
            self._lab.close()
