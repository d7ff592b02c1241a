"""Asks how to count a loss that has changed its meaning, while the program runs on."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.log.records import Remarked
from engine.programs.readings import Choice

_MEANINGS: Final = {
    Choice.ANOTHER: "another training, with a curve of its own (as counted now)",
    Choice.SAME: "the same training: its curve goes on",
    Choice.IGNORE: "don't read it: the loss is read where it was before",
}


class QuestionScreen(ModalScreen[str]):
    """Shows a question with its answers; dismissed with the chosen one, or without any."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(place), f"answer({place - 1})", show=False) for place in range(1, 10)),
        Binding("escape,C,q", "dismiss", "Later", show=False),
    ]

    def __init__(self, question: Remarked) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="ask") as box:
            box.border_title = "the loss has changed its meaning"
            box.border_subtitle = "a number answers · esc: later"
            yield Static(Content("\n\n").join([Content(self._question.text), self._answers()]))

    def _answers(self) -> Content:
        lines = [
            Content.assemble((f"{place} ", "bold $accent"), _meaning(choice))
            for place, choice in enumerate(self._question.choices, start=1)
        ]
        return Content("\n").join(lines)

    def action_answer(self, place: int) -> None:
        if place < len(self._question.choices):
            self.dismiss(self._question.choices[place])


def _meaning(choice: str) -> str:
    """The answer in words; the word itself if a later version wrote it."""
    try:
        return _MEANINGS[Choice(choice)]
    except ValueError:
        return choice
