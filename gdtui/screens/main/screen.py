"""The main screen's keys: each becomes a command to the run, or a change of the view.

Keys that open another screen are in overlaid.py, those of the lesson in guide.py. How a command is
carried out or a picture drawn is decided elsewhere.
"""

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from gdtui.chart.widget.chart import Chart
from gdtui.keys import table
from gdtui.keys.confirmation import Confirmation
from gdtui.screens.main.guide import GuidedScreen
from gdtui.screens.program.keys import ProgramKeys
from gdtui.widgets.variant_lines import VariantChosen

if TYPE_CHECKING:
    from engine.settings import VariantSettings
    from gdtui.control.explorer import Explorer


class MainScreen(GuidedScreen):
    """The screen that keys act on, even while another one covers it."""

    BINDINGS: ClassVar[list[BindingType]] = [*table.bindings()]

    @cached_property
    def program(self) -> ProgramKeys:
        return ProgramKeys(self, self.viewer, self.controller, self.context.show_notes)

    def _begin(self) -> None:
        super()._begin()
        self.program.begin()

    def figures_written(self) -> None:
        super().figures_written()
        self.program.follow()

    @cached_property
    def _removal(self) -> Confirmation:
        return Confirmation()

    # --- Which variants, and commands to them ---------------------------------------------------

    def action_select(self, place: int) -> None:
        """Select one variant, or all of them (0)."""
        if place > len(self.viewer.store.states):
            self.context.show_notes([f"there is no variant {place}"])
            return
        self.note_choice(place)
        self.look(selected=place - 1 if place else None)

    def on_variant_chosen(self, message: VariantChosen) -> None:
        """Select the variant that was clicked or, if it was selected, all."""
        is_selected = self.viewer.view.selected == message.index
        if message.index < len(self.viewer.store.states):
            self.action_select(0 if is_selected else message.index + 1)

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
        """Open a form for exact values."""
        from gdtui.screens.edit import EditScreen

        if not self.controller.is_ours:
            self.context.show_notes([self.controller.refusal])
            return
        self.app.push_screen(EditScreen(self.viewer.chosen), self._edited)

    def _edited(self, settings: "dict[str, VariantSettings] | None") -> None:
        if settings:
            self._sent(self.controller.apply(settings))

    def action_restart(self) -> None:
        self.context.show_notes([], "error")  # such as the advice to press this key
        self._sent(self.controller.restart(self.viewer.chosen))

    def action_rewind(self) -> None:
        """Take the selected variants back to the batch at the crosshair."""
        if (batches := self._at_crosshair("R")) is not None:
            self._sent(self.controller.rewind(batches))
            self._leave_crosshair()

    def action_fork(self) -> None:
        """Add a variant that begins at the batch at the crosshair."""
        if (batches := self._at_crosshair("F")) is not None:
            self._expects_variant = True
            self._sent(self.controller.fork(batches))
            self._leave_crosshair()

    def action_add(self) -> None:
        """Add a variant with the settings of the selected one, or of the first."""
        self._expects_variant = self.controller.is_ours
        self._sent(self.controller.add(self.viewer.chosen[0]))

    def action_remove(self) -> None:
        """Remove the selected variant, when asked twice."""
        chosen = self.viewer.chosen
        if not self.controller.is_ours:
            self.context.show_notes([self.controller.refusal_of("D")])
        elif len(chosen) > 1:
            self.context.show_notes(["select the variant to remove first, by its number"])
        elif self._removal.confirms(name := chosen[0].tally.name):
            self._sent(self.controller.remove(chosen[0]))
        else:
            self.context.show_notes([f"remove {name}? D again removes it; its log stays"])

    def _at_crosshair(self, key: str) -> dict[str, int] | None:
        """The batches done after those at the crosshair; None, with a note, without one."""
        viewer = self.viewer
        if not self.controller.is_ours:
            self.context.show_notes([self.controller.refusal_of(key)])
            return None
        if viewer.cursor is None:
            note = f"put the crosshair on a batch first, with h and l or the mouse; then {key}"
            self.context.show_notes([note])
            return None
        found = {one.tally.name: viewer.under_cursor(one) for one in viewer.chosen}
        return {name: batch.batch for name, batch in found.items() if batch is not None}

    def _leave_crosshair(self) -> None:
        """Show the present figures again, which tell how far the variants are."""
        self.explorer.hide_cursor()
        self.look()

    def action_scaling(self, restart: bool) -> None:
        self._sent(self.controller.scaling(restart))

    def action_undo(self) -> None:
        self._sent(self.controller.undo())

    def action_original(self) -> None:
        self._sent(self.controller.original())

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
        """Measure noise scale and sharpness of the selected variants at once."""
        self._sent(self.controller.measure(self.viewer.chosen))

    def action_measuring(self) -> None:
        """Turn regular measuring on or off."""
        self._sent(self.controller.measuring())

    def _sent(self, notes: list[str]) -> None:
        """After a command: show its notes, and what is pending."""
        self.controller.note_sent()
        self.context.show_notes(notes)
        self.show_soon()

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
                ["there are no ghosts: a restart (r, S) leaves the previous curve as one"]
            )

    def action_fill(self) -> None:
        """Let one chart fill the screen, or all share it."""
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
        self.call_after_refresh(self.tick)  # in the space available then

    def action_summary(self) -> None:
        """Show or hide the results."""
        if not self.show_summary(None):
            self.context.show_notes(
                ["there are no results yet: they appear when all variants have ended"]
            )

    def action_console(self) -> None:
        """Show or hide what the process of the selected variant, or the first, has printed."""
        self.program.toggle_console()
        self.call_after_refresh(self.tick, figures=True)  # in the space available then

    def action_answer(self) -> None:
        self.program.answer()

    def action_type(self) -> None:
        self.program.type()

    def action_hide(self) -> None:
        """Hide the results if they are shown, else leave the lesson or hide the crosshair."""
        if not (self.hide_summary() or self.leave_lesson()):
            self.explorer.hide_cursor()
            self.look()

    def action_stills(self) -> None:
        """Save the screen that is in front, and the selected chart, as files."""
        from gdtui.export.screenshot import StillsError, save

        svg = self.app.export_screenshot(title=f"gdtui · {self.viewer.store.title}")
        try:
            self.context.show_notes([save(self.viewer, svg, self.app.size, self.app.current_theme)])
        except StillsError as error:
            self.context.show_notes([str(error)], "error")

    # --- The way through the history ------------------------------------------------------------

    @cached_property
    def explorer(self) -> "Explorer":
        """Moves window and crosshair; created on first use."""
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
        """Move the crosshair right by this many columns of the first visible chart."""
        chart = next((chart for chart in self.query(Chart) if chart.is_on_screen), None)
        if chart is not None and chart.cell_columns is not None:
            self.explorer.move_cursor(chart.cell_columns, steps)
            self._moved()

    def _moved(self) -> None:
        """Show the place that a key has moved to, without the results on top."""
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
