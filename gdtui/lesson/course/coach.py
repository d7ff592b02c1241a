"""The lesson's state machine: facts in, step and text out. Pure: each method returns a new state.

It refuses to go on before the deed of a part is done, and then tells what was measured.
"""

from dataclasses import dataclass, replace

from gdtui.lesson.course.content import Course, Part, Step
from gdtui.lesson.course.deeds import ChooseVariant
from gdtui.lesson.course.facts import LessonFacts
from gdtui.lesson.course.figures import FigureTexts, Moment


@dataclass(frozen=True, slots=True)
class CoachText:
    """The words of the coach line."""

    heading: str
    text: str
    is_done: bool
    """True if the deed is done, so that the lesson goes on."""


@dataclass(frozen=True, slots=True)
class Coach:
    """A place in the lesson."""

    course: Course
    step_at: int = 0
    part_at: int = 0
    page: int | None = None
    """The page being read; None while the lesson waits for the deed."""
    begun: LessonFacts | None = None
    """The facts when it began to wait; None before the first."""
    done: LessonFacts | None = None
    """The facts when the deed was done."""
    bet: str = ""
    """Name of the variant that the user chose last, in answer to a part."""

    @property
    def step(self) -> Step:
        return self.course.steps[self.step_at]

    @property
    def part(self) -> Part:
        return self.step.parts[self.part_at]

    @property
    def is_waiting(self) -> bool:
        """True while the deed is not done."""
        return self.page is None

    @property
    def is_last(self) -> bool:
        """True on the last page of the lesson."""
        return self._following is None and self._is_on_last_page

    @property
    def _pages(self) -> tuple[str, ...]:
        """The pages about the deed that was done."""
        part, begun, done = self.part, self.begun, self.done
        if begun is None or done is None or part.deed.bears_out(done, begun):
            return part.said
        return part.otherwise or part.said

    @property
    def _is_on_last_page(self) -> bool:
        return self.page is not None and self.page + 1 >= len(self._pages)

    @property
    def _following(self) -> tuple[int, int] | None:
        """Step and part after this one; None at the end."""
        if self.part_at + 1 < len(self.step.parts):
            return self.step_at, self.part_at + 1
        return (self.step_at + 1, 0) if self.step_at + 1 < len(self.course.steps) else None

    def heard(self, facts: LessonFacts) -> "Coach":
        """The state after these facts."""
        if self.begun is None:
            return replace(self, begun=facts).heard(facts)
        if not self.is_waiting or not self.part.deed.is_done(facts, self.begun):
            return self
        bet = self.bet
        if isinstance(self.part.deed, ChooseVariant) and facts.choice:
            bet = facts.variants[facts.choice - 1].name
        told = replace(self, page=0, done=facts, bet=bet)
        return told if self.part.said else told.gone_on().heard(facts)

    def finds_wrong(self, choice: int) -> bool:
        """True if the lesson waits for the answer to a question, and this is not it."""
        deed = self.part.deed
        return self.is_waiting and isinstance(deed, ChooseVariant) and deed.is_wrong(choice)

    def gone_on(self) -> "Coach":
        """The next page or part; the same state if the deed is not done, or at the end."""
        if self.page is None:
            return self
        if not self._is_on_last_page:
            return replace(self, page=self.page + 1)
        if self._following is None:
            return self
        step, part = self._following
        return replace(self, step_at=step, part_at=part, page=None, begun=None, done=None)

    def from_its_beginning(self) -> "Coach":
        """The same part, still waiting, judged by facts of another run; a page stays as it is."""
        return replace(self, begun=None) if self.is_waiting else self

    def text(self, facts: LessonFacts) -> CoachText:
        """The words for now; figures of a page are those of the moment the deed was done."""
        now = facts if self.done is None else self.done
        said = self.part.ask if self.page is None else self._pages[self.page]
        figures = FigureTexts(Moment(now, self.begun or now, self.bet))
        heading = f"{self.step_at + 1}/{len(self.course.steps)} {self.step.name}"
        return CoachText(heading, said.format_map(figures), not self.is_waiting)
