"""The app's actions that measure and survey: each passes the wish on, and says what is to be told."""

from typing import TYPE_CHECKING, cast

from gdtui.app_part import AppPart

if TYPE_CHECKING:
    from gdtui.app import GdtuiApp


class MeasureActions(AppPart):
    """A part of the app."""

    @property
    def _whole(self) -> "GdtuiApp":
        """The app that this is a part of."""
        return cast("GdtuiApp", self)

    def action_measure(self) -> None:
        """Noise scale and sharpness of the selected, at once."""
        self.tell(self.live.commander.measure(self.live.chosen))

    def action_measuring(self) -> None:
        """Measuring on or off."""
        self.tell(self.live.commander.measuring())

    def action_trends(self) -> None:
        """How sharpness and noise scale went."""
        from gdtui.screens.trends import TrendsScreen

        self._whole.push_screen(TrendsScreen(self.live, is_watching=self._whole.controls is None))

    def action_landscape(self) -> None:
        """The loss on a plane through the weights, and the way that training took on it."""
        from gdtui.screens.landscape import LandscapeScreen

        self._whole.push_screen(LandscapeScreen(self._whole.run_directory))
