"""The app's actions that measure beside the run: experiments and the sweep, in processes of their own."""

from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from gdtui.app import GdtuiApp
    from gdtui.control.lab import Lab

_SECONDS: Final = 0.1
"""Between two looks at what runs."""


class LabActions:
    """A part of the app."""

    _lab: "Lab | None" = None

    @property
    def lab(self) -> "Lab":
        """Where experiments and sweeps run; made when first asked for."""
        if self._lab is None:
            from gdtui.control.lab import Lab

            app = cast("GdtuiApp", self)
            self._lab = Lab(app.live.commander)
            app.set_interval(_SECONDS, self._look_at_lab)
        return self._lab

    def close_lab(self) -> None:
        """End what runs there. For whoever ends the app, however that ended."""
        if self._lab is not None:
            self._lab.close()

    def action_experiments(self) -> None:
        """The lesson's claims, each tested over many seeds."""
        from gdtui.screens.lab.experiments import ExperimentsScreen

        app = cast("GdtuiApp", self)
        app.lay(ExperimentsScreen(self.lab, app.live.store))

    def action_sweep(self) -> None:
        """The trade-off table, measured."""
        from gdtui.screens.lab.sweep import SweepScreen

        app = cast("GdtuiApp", self)
        app.lay(SweepScreen(self.lab, app.live.store, app.live.commander, app.live.view.selected or 0))

    def _look_at_lab(self) -> None:
        """Take in how far it is; tell of its end whoever does not look at it."""
        from gdtui.screens.lab.lab import LabScreen

        app = cast("GdtuiApp", self)
        ended = self.lab.look()
        if isinstance(app.screen, LabScreen):
            app.screen.show()
        elif ended is not None:
            from gdtui.view.text.lab_text import outcome

            app.say([f"{ended.name}: {outcome(ended.end)}"])
