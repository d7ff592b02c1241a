"""A screen that covers the main one and passes on the keys and mouse events it does not use.

It knows nothing about the main screen but its type.
"""

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.screen import Screen

from gdtui.chart.widget.explorable import Explorable
from gdtui.keys import table


class PassThroughScreen(Screen[None]):
    """Passes every key of the table, and mouse events on a chart, to the main screen.

    A key that a subclass binds is not passed on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        replace(binding, action=f"pass_on({binding.action!r})") for binding in table.bindings()
    ]

    def __init__(self, main: Screen[None]) -> None:
        super().__init__()
        self._main = main

    async def action_pass_on(self, action: str) -> None:
        """Run this action of the main screen."""
        await self.app.run_action(action, self._main)

    @on(Explorable.Zoomed)
    @on(Explorable.Dragged)
    @on(Explorable.Reset)
    @on(Explorable.Hovered)
    def _explore(
        self,
        message: Explorable.Zoomed | Explorable.Dragged | Explorable.Reset | Explorable.Hovered,
    ) -> None:
        message.stop()
        self._main.post_message(message)
