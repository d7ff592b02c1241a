"""The keys for a program that `gdtui run` started: its console, questions, typing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from textual.screen import Screen

from engine.programs import PROGRAM
from gdtui.widgets.coach import CoachLine
from gdtui.widgets.console import ConsolePane

if TYPE_CHECKING:
    from gdtui.control.run_controller import RunController
    from gdtui.control.viewer import Viewer

_CONSOLE_ROWS: Final = 28
"""Rows of a screen on which charts and a console both have room."""
_OPEN: Final = "-console"
_NO_QUESTION: Final = "there is no open question about what the program prints"
_NO_PROGRAM: Final = "only a program that gdtui run started can be typed to"


class ProgramKeys:
    """Shows and does on the main screen what a program needs."""

    def __init__(
        self,
        screen: Screen[Any],
        viewer: "Viewer",
        controller: "RunController",
        show_notes: Callable[[list[str]], object],
    ) -> None:
        self._screen, self._viewer, self._controller = screen, viewer, controller
        self._show_notes = show_notes
        self._line: CoachLine | None = None
        """The line of the open question, once there has been one."""

    @property
    def is_program(self) -> bool:
        """True for the run of a program, which trains by itself."""
        return bool(self._viewer.shown.settings.device == PROGRAM)

    def begin(self) -> None:
        """Show the console, which is all that a program says of itself, if there is room."""
        if self.is_program and self._screen.app.size.height >= _CONSOLE_ROWS:
            self.toggle_console()

    def toggle_console(self) -> None:
        """Show or hide what the process of the selected variant, or the first, has printed."""
        pane = self._screen.query_one(ConsolePane)
        self._screen.set_class(not self._screen.has_class(_OPEN), _OPEN)
        if self._screen.has_class(_OPEN):
            shown = self._viewer.shown.variants[self._viewer.view.selected or 0]
            pane.takes_text = self.is_program and self._controller.is_ours
            pane.show(shown.run.variant_output(shown.own_name))

    def follow(self) -> None:
        """Show the open question, if there is one that can be answered here."""
        if self._viewer.store.has_ended:
            self._screen.query_one(ConsolePane).takes_text = False
        question = self._viewer.question if self._controller.is_ours else None
        if question is None:
            if self._line is not None:
                self._line.hide_words()
            return
        if self._line is None:
            self._line = CoachLine(id="question")
            self._screen.mount(self._line, before="#footer")
        self._line.show_words("?", question[1].text, "C answers", is_done=False)

    def answer(self) -> None:
        """Ask the open question."""
        from gdtui.screens.program.question import QuestionScreen

        found = self._viewer.question
        if found is None:
            self._show_notes([_NO_QUESTION])
        elif not self._controller.is_ours:
            self._show_notes([self._controller.refusal])
        else:
            name, question = found

            def heed(choice: str | None) -> None:
                if choice is not None:
                    notes = self._controller.answer(name, question.question, choice)
                    self._show_notes(notes)

            self._screen.app.push_screen(QuestionScreen(question), heed)

    def type(self) -> None:
        """Type lines into the program's terminal, with the console in view."""
        if not self.is_program:
            self._show_notes([_NO_PROGRAM])
            return
        if not self._controller.is_ours:
            self._show_notes([self._controller.refusal])
            return
        if not self._screen.has_class(_OPEN):
            self.toggle_console()
        self._screen.call_after_refresh(self._open_line)  # once the console has its place

    def _open_line(self) -> None:
        from gdtui.screens.program.typing import TypingScreen

        name = self._viewer.shown.variants[0].own_name
        top = self._screen.query_one(ConsolePane).region.y
        line = TypingScreen(
            lambda text: self._show_notes(self._controller.type_text(name, text)),
            below=max(self._screen.size.height - top, 0),
        )
        self._screen.app.push_screen(line)
