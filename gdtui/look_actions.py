"""The app's actions that choose how a run is shown: each is passed on to the live view."""

from gdtui.app_part import AppPart


class LookActions(AppPart):
    """A part of the app."""

    def action_log(self) -> None:
        self.live.look(log=not self.live.view.log)

    def action_smoothing(self) -> None:
        self.live.look(smoothing=self.live.view.next_smoothing)

    def action_raw(self) -> None:
        self.live.look(raw=not self.live.view.raw)

    def action_ghosts(self) -> None:
        if not self.live.clear_ghosts():
            self.say(["there are no ghosts: a restart (r, S) leaves the curve before as one"])

    def action_fill(self) -> None:
        """One chart over the whole screen, or back."""
        if not self.live.focus():
            self.say(["the chart of all fills the screen: select a variant (by its number) to see it alone"])

    def action_summary(self) -> None:
        """Show or hide the results."""
        if not self.live.show_summary(None):
            self.say(["there are no results yet: they come when all variants have ended"])
