"""The app as a client of a host: its commands go through the host's socket, `d` detaches.

Leaving the app ends no training, unless the user chooses that.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from engine.settings.text import clean
from gdtui.app import GdtuiApp

_STAY, _DETACH, _STOP = "stay", "detach", "stop"


class LeaveScreen(ModalScreen[str]):
    """Asks what becomes of a run that is still training."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", f"answer('{_STOP}')", "Stop the run", show=False),
        Binding("d,l,q", f"answer('{_DETACH}')", "Leave it running", show=False),
        Binding("escape,n", f"answer('{_STAY}')", "Stay", show=False),
    ]

    def __init__(self, run: Path) -> None:
        super().__init__()
        self._run = run

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="consent") as box:
            box.border_title = "this run is still training"
            box.border_subtitle = "d leaves it running · s stops it · esc stays"
            yield Static(
                Content("\n\n").join(
                    [
                        Content.styled(clean(str(self._run)), "bold $accent"),
                        Content("Left running, it trains on without this terminal."),
                        Content("Stopped, it ends for every terminal; what was trained is kept."),
                    ]
                )
            )

    def action_answer(self, answer: str) -> None:
        self.dismiss(answer)


class AttachedApp(GdtuiApp):
    """The app on a run that its host trains."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detach", "Detach: leave the run to its host", show=False)
    ]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_scripted = bool(options.get("keys"))
        self.must_stop = False
        """True if the user chose to end the run."""

    def action_detach(self) -> None:
        """Leave the app; the run goes on."""
        self.exit(return_code=0)

    def action_leave(self, status: int) -> None:
        """Ask first, unless a signal or a script ends the app or the run has ended."""
        if status or self._is_scripted or not self.main.is_training:
            super().action_leave(status)
        elif not isinstance(self.screen, LeaveScreen):
            self.push_screen(LeaveScreen(self._shown.path), self._heed)

    def _heed(self, answer: str | None) -> None:
        self.must_stop = answer == _STOP
        if answer in (_STOP, _DETACH):
            self.exit(return_code=0)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        yield SystemCommand("Detach", "d  leave the run to its host", self.action_detach)
