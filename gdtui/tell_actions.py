"""The app's actions that tell the run something: each becomes commands, shown as pending at once."""

from gdtui.app_part import AppPart


class TellActions(AppPart):
    """A part of the app."""

    # --- Settings of the chosen -----------------------------------------------------------------

    def action_batch(self, step: int) -> None:
        self.tell(self.live.commander.batch(self.live.chosen, step))

    def action_lr(self, step: int) -> None:
        self.tell(self.live.commander.lr(self.live.chosen, step))

    def action_accumulation(self, step: int) -> None:
        self.tell(self.live.commander.accumulation(self.live.chosen, step))

    def action_accumulate(self) -> None:
        self.tell(self.live.commander.accumulate(self.live.chosen))

    def action_momentum(self) -> None:
        self.tell(self.live.commander.momentum(self.live.chosen))

    def action_restart(self) -> None:
        self.tell(self.live.commander.restart(self.live.chosen))

    def action_scaling(self, restart: bool) -> None:
        self.tell(self.live.commander.scaling(restart))

    # --- Going on -------------------------------------------------------------------------------

    def action_pause(self) -> None:
        self.tell(self.live.commander.pause())

    def action_step(self) -> None:
        self.tell(self.live.commander.step(self.live.chosen))

    def action_extend(self) -> None:
        self.tell(self.live.commander.extend())

    def action_pace(self, step: int) -> None:
        self.tell(self.live.commander.pace(step))

    def action_free(self) -> None:
        self.tell(self.live.commander.free())

    def tell(self, notes: list[str]) -> None:
        """After a command: say what is to be said, and show it as pending at once."""
        self.say(notes)
        self.live.tick(figures=True)
