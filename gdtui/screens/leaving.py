"""Leaves a run on screen: stops it, leaves it to its host, or stays, as the user decides.

Ending the run is the business of the code that ran the app; here is the decision alone.
"""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.settings.text import clean

_YOUNG_SECONDS: Final = 60.0
"""Age up to which the terminal that started a run ends it without a question."""
_STAY, _DETACH, _STOP = "stay", "detach", "stop"
_HUNG_UP: Final = 128 + signal.SIGHUP
_CRASHED: Final = 1


class LeaveScreen(ModalScreen[str]):
    """Asks what becomes of a run that is still training."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", f"answer('{_STOP}')", "Stop the run", show=False),
        Binding("d,l", f"answer('{_DETACH}')", "Leave it running", show=False),
        Binding("escape,n,q", f"answer('{_STAY}')", "Stay", show=False),
    ]

    def __init__(self, run: Path) -> None:
        super().__init__()
        self._run = run

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="consent") as box:
            box.border_title = "this run is still training"
            box.border_subtitle = "s stops it · d leaves it running · esc stays"
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


class Leaving:
    """The ways out of the app, for a run that can go on without it."""

    def __init__(
        self,
        run: Path,
        *,
        is_starter: bool,
        is_scripted: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_starter`: this terminal started the run, and ends it unless the user detaches.

        `is_scripted`: keys play by themselves, and nobody can answer.
        """
        self.run, self._clock = run, clock
        self._is_starter, self._is_scripted = is_starter, is_scripted
        self._began = clock()
        self._chosen: bool | None = None

    def must_stop(self, status: int) -> bool:
        """True if the run is to end with an app that ended with this status."""
        if self._chosen is not None:
            return self._chosen
        return self._is_starter and status not in (_HUNG_UP, _CRASHED)

    def leave(self, app: App[None], status: int, is_training: bool, detaches: bool = False) -> None:
        """Leave at once, or ask first if hours of work are at stake.

        `detaches`: the run goes on without a question.
        """
        if detaches:
            self._heed(app, _DETACH)
        elif status or self._is_scripted or self._is_young or not is_training:
            app.exit(return_code=status)
        elif not isinstance(app.screen, LeaveScreen):
            app.push_screen(LeaveScreen(self.run), lambda answer: self._heed(app, answer))

    def stop(self, app: App[None], status: int) -> None:
        """Leave the app, and end the run."""
        self._chosen = True
        app.exit(return_code=status)

    @property
    def _is_young(self) -> bool:
        return self._is_starter and self._clock() - self._began < _YOUNG_SECONDS

    def _heed(self, app: App[None], answer: str | None) -> None:
        if answer in (_STOP, _DETACH):
            self._chosen = answer == _STOP
            app.exit(return_code=0)
