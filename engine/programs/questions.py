"""Questions about what changed its meaning, and what their answers change.

Until there is an answer, the safe reading is taken: another training, so that no curve mixes two
things. Everything since then is kept for a while, to be read again as the answer says.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.programs.readings import (
    Answered,
    Choice,
    Event,
    HeldOut,
    Question,
    Reading,
    Rejoined,
    Remark,
)
from engine.programs.steps.places import Place, StepPlaces
from engine.programs.steps.source import Source
from engine.programs.text.printed import Printed

_MOST_KEPT: Final = 20_000
"""Losses after which a question is closed: the safe reading stays."""
_ANSWERS: Final = {
    Choice.ANOTHER: "it is another training",
    Choice.SAME: "it is the same training, whose curve goes on",
    Choice.IGNORE: "it is not read: the loss is read where it was before",
}


class AnswerError(ValueError):
    """An answer that cannot be taken; the message says why."""


@dataclass(slots=True)
class OpenQuestion:
    """A question without an answer yet."""

    number: int
    choices: tuple[Choice, ...]
    origin: Place
    """The last place before the change."""
    places: StepPlaces
    """The places as they were then."""
    before: Source | None = None
    """The source as it was then, if that has changed."""
    events: list[Printed | HeldOut] = field(default_factory=list)
    """Everything since then."""


MakeReading = Callable[[Printed, Place], Reading]


class Questions:
    """The open question, if any, and the answers."""

    def __init__(self, preset: Choice | None, most_kept: int = _MOST_KEPT) -> None:
        """`preset`: the answer to every question; None asks the user.

        `most_kept`: losses after which a question is closed.
        """
        self.preset, self._most = preset, most_kept
        self._number = 0
        self.open: OpenQuestion | None = None

    def ask(
        self, text: str, origin: Place, places: StepPlaces, before: Source | None = None
    ) -> Iterator[Event]:
        """Ask about a change after which another training is assumed, or only say what it is.

        `before`: the source as it was before, if that has changed.
        """
        yield from self.close("another question came")
        if self.preset is not None:
            yield Remark(f"{text}: {_ANSWERS[Choice.ANOTHER]} (--on-change)")
            return
        choices = (Choice.ANOTHER, Choice.SAME, *([Choice.IGNORE] if before else []))
        self._number += 1
        self.open = OpenQuestion(self._number, choices, origin, places, before)
        yield Question(self._number, f"{text}: counted as another training", choices)

    def said(self, text: str) -> Remark:
        """A remark about a change to which the answer was given before."""
        assert self.preset is not None
        return Remark(f"{text}: {_ANSWERS[self.preset]} (--on-change)")

    def keep(self, event: Printed | HeldOut) -> Iterator[Event]:
        """Keep an event for the answer; close the question if there are too many."""
        if self.open is not None:
            self.open.events.append(event)
            if len(self.open.events) > self._most:
                yield from self.close(f"{self._most:,} losses without an answer")

    def close(self, reason: str) -> Iterator[Event]:
        """Close the question without an answer."""
        if (question := self.open) is not None:
            self.open = None
            text = f"not answered ({reason}): {_ANSWERS[Choice.ANOTHER]}"
            yield Answered(question.number, text, Choice.ANOTHER)

    def take(self, number: int, choice: str) -> tuple[OpenQuestion, Choice, Answered]:
        """Take the user's answer; raises AnswerError."""
        question = self.open
        if question is None or number not in (0, question.number):
            raise AnswerError("there is no open question, or no longer")
        if choice not in question.choices:
            raise AnswerError(f"the answer is one of: {', '.join(question.choices)}")
        taken = Choice(choice)
        self.open = None
        answer = Answered(question.number, f"answered: {_ANSWERS[taken]}", taken)
        return question, taken, answer


def rejoined(
    question: OpenQuestion, places: StepPlaces, generation: int, read: MakeReading
) -> Rejoined:
    """The events since the question again, at their places in the same training."""
    first = next((each for each in question.events if isinstance(each, Printed)), None)
    if first is not None and question.before is not None:
        places.align(first)
    events: list[Reading | HeldOut] = []
    for event in question.events:
        if isinstance(event, HeldOut):
            events.append(HeldOut(places.last, event.loss, event.metrics))
        else:
            events.append(read(event, places.add(event)))
    return Rejoined(question.origin, generation, tuple(events))
