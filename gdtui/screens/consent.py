"""Asks before running a Python file that a run made by someone else names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.log.directory import RunDirectory
from engine.problems.user_file import file_of
from engine.settings.text import clean


class ConsentScreen(ModalScreen[bool]):
    """Asks about one file; only `y` runs it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Run it", show=False),
        Binding("n,escape", "answer(False)", "Don't", show=False),
        Binding("q", "app.leave(0)", "Quit", show=False),
    ]

    def __init__(self, purpose: str, file: Path) -> None:
        """`purpose`: what the file would be run for, as in "the landscape"."""
        super().__init__()
        self._purpose, self._file = purpose, file

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="consent") as box:
            box.border_title = "run this file?"
            box.border_subtitle = "y runs it · n or esc does not"
            yield Static(
                Content("\n\n").join(
                    [
                        Content(
                            f"For {self._purpose}, gdtui would run a Python file that is named "
                            "by this run, not by you:"
                        ),
                        Content.styled(clean(str(self._file)), "bold $accent"),
                        Content("It can do whatever you can do. Run it only if you know it."),
                    ]
                )
            )

    def action_answer(self, may_run: bool) -> None:
        self.dismiss(may_run)


class Consent:
    """The user's answers about the files of runs; each is asked again until the answer is yes."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._allowed: set[Path] = set()

    def before(self, purpose: str, run: RunDirectory, go_on: Callable[[], None]) -> None:
        """Go on at once if that runs no file named by someone else; else only after a yes."""
        file = None if run.is_ours else file_of(run.info.settings.problem)
        if file is None or file in self._allowed:
            go_on()
            return

        def heed(may_run: bool | None) -> None:
            if may_run:
                self._allowed.add(file)
                go_on()

        self._app.push_screen(ConsentScreen(purpose, file), heed)
