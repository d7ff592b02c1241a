"""The app's actions that tell the run something: each becomes commands, shown as pending at once."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdtui.live_view import LiveView


class TellActions:
    """A part of the app."""

    @property
    def live(self) -> "LiveView":
        """What is read and drawn."""
        raise NotImplementedError

    def say(self, notes: list[str]) -> None:
        """Notes in the corner."""
        raise NotImplementedError

    # --- Settings of the chosen -----------------------------------------------------------------

    def action_batch(self, step: int) -> None:
        self._told(self.live.commander.batch(self.live.chosen, step))

    def action_lr(self, step: int) -> None:
        self._told(self.live.commander.lr(self.live.chosen, step))

    def action_accumulation(self, step: int) -> None:
        self._told(self.live.commander.accumulation(self.live.chosen, step))

    def action_accumulate(self) -> None:
        self._told(self.live.commander.accumulate(self.live.chosen))

    def action_momentum(self) -> None:
        self._told(self.live.commander.momentum(self.live.chosen))

    def action_restart(self) -> None:
        self._told(self.live.commander.restart(self.live.chosen))

    def action_scaling(self, restart: bool) -> None:
        self._told(self.live.commander.scaling(restart))

    # --- Going on -------------------------------------------------------------------------------

    def action_pause(self) -> None:
        self._told(self.live.commander.pause())

    def action_step(self) -> None:
        self._told(self.live.commander.step(self.live.chosen))

    def action_extend(self) -> None:
        self._told(self.live.commander.extend())

    def action_pace(self, step: int) -> None:
        self._told(self.live.commander.pace(step))

    def action_free(self) -> None:
        self._told(self.live.commander.free())

    def _told(self, notes: list[str]) -> None:
        """After a command: say what is to be said, and show it as pending at once."""
        self.say(notes)
        self.live.tick(figures=True)
