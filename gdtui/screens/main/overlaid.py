"""The screens that keys open over the main one, and the work beside the run that some start."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Final

from textual.screen import Screen

from gdtui.screens.main.live import Context, LiveScreen

if TYPE_CHECKING:
    from engine.log.directory import RunDirectory
    from gdtui.control.lab import Holder, Lab
    from gdtui.screens.consent import Consent

_LAB_SECONDS: Final = 0.1
"""Seconds between two polls of the work beside the run."""


class OverlaidScreen(LiveScreen):
    """The live screen, and the screens that it opens on top."""

    def __init__(self, context: Context, make_lab: "Callable[[Holder], Lab] | None" = None) -> None:
        """`make_lab` None makes a Lab whose work runs in processes."""
        super().__init__(context)
        self._make_lab = make_lab
        self._lab: Lab | None = None

    def action_explain(self) -> None:
        """Explain the view in words."""
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

        viewer = self.viewer
        self._open(CodeScreen(viewer.store.states, viewer.view.selected or 0, viewer.shown))

    def action_trends(self) -> None:
        """Sharpness and noise scale over training."""
        from gdtui.screens.trends import TrendsScreen

        self._open(TrendsScreen(self, self.viewer, is_watching=not self.controller.is_ours))

    def action_metrics(self) -> None:
        """The run's other numbers, each in a chart of its own."""
        from gdtui.screens.metrics import MetricsScreen

        self._open(MetricsScreen(self, self.viewer))

    def action_landscape(self) -> None:
        """The loss on a plane through the weights, and the trajectories on it."""
        self._consent.before("the landscape", self._chosen_run, self._open_landscape)

    def _open_landscape(self) -> None:
        from gdtui.screens.landscape import LandscapeScreen

        viewer = self.viewer
        places = [one.name for one in viewer.shown.variants]
        at = places.index(viewer.chosen[0].tally.name)
        self._open(LandscapeScreen(self, viewer.shown, at))

    def action_experiments(self) -> None:
        """Open the experiments, which test the lesson's claims over many seeds."""
        from gdtui.screens.lab.experiments import ExperimentsScreen

        self._open(ExperimentsScreen(self.lab, self.viewer.store))

    def action_sweep(self) -> None:
        """Open the sweep, which measures the trade-off table."""
        self._consent.before("a sweep", self._chosen_run, self._open_sweep)

    def _open_sweep(self) -> None:
        from gdtui.screens.lab.sweep import SweepScreen

        viewer, handover = self.viewer, self._chosen_run.custody.handover
        at = viewer.view.selected or 0
        self._open(SweepScreen(self.lab, viewer.store, self.controller, at, handover))

    @cached_property
    def _consent(self) -> "Consent":
        from gdtui.screens.consent import Consent

        return Consent(self.app)

    @property
    def _chosen_run(self) -> "RunDirectory":
        """The run of the selected variant, or of the first variant."""
        viewer = self.viewer
        return viewer.shown.origin(viewer.chosen[0].tally.name).run

    def _open(self, screen: Screen[None]) -> None:
        """Open a screen on top of this one; training goes on."""
        self.app.push_screen(screen)

    # --- Measured beside the run ----------------------------------------------------------------

    @property
    def lab(self) -> "Lab":
        """Runs experiments and sweeps; created on first use."""
        if self._lab is None:
            from gdtui.control.lab import Lab

            self._lab = (self._make_lab or Lab)(self.controller)
            self.set_interval(_LAB_SECONDS, self.poll_lab)
        return self._lab

    def poll_lab(self) -> None:
        """Take in the progress of the work; report its end unless its screen is in front."""
        from gdtui.screens.lab.lab import LabScreen

        ended = self.lab.look()
        if isinstance(self.app.screen, LabScreen):
            self.app.screen.show()
        elif ended is not None:
            from gdtui.view.text.lab_text import outcome

            self.context.show_notes([f"{ended.name}: {outcome(ended.end)}"])

    def close_lab(self) -> None:
        """End the running work, so that no process outlives the program."""
        if self._lab is not None:
            self._lab.close()
