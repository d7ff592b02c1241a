"""The figures that the lesson's texts may name, such as {gap}: from facts to short text. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.settings import LrScaling
from gdtui.lesson.course.facts import LessonFacts, VariantFacts
from gdtui.view.text.formatting import number


@dataclass(frozen=True, slots=True)
class Moment:
    """The facts that a text speaks of."""

    now: LessonFacts
    begun: LessonFacts
    """The facts when the lesson began to wait for the deed."""
    bet: str = ""
    """Name of the variant that the user bet on."""

    @property
    def lowest(self) -> VariantFacts:
        """The variant with the lowest loss on all data."""
        return min(self.now.variants, key=lambda one: one.full_loss)


def _each(pick: Callable[[VariantFacts], str]) -> Callable[[Moment], str]:
    return lambda moment: " / ".join(map(pick, moment.now.variants))


def _gap_before(moment: Moment) -> str:
    is_plain = moment.begun.rules == {LrScaling.NONE}
    return number(moment.begun.gap) if is_plain else "–"


FIGURES: Final[Mapping[str, Callable[[Moment], str]]] = {
    "bet": lambda moment: moment.bet or "–",
    "names": _each(lambda one: one.name),
    "epochs": lambda moment: f"{moment.now.planned_epochs:,}",
    "losses": _each(lambda one: number(one.full_loss)),
    "updates": _each(lambda one: f"{one.updates:,}"),
    "lowest": lambda moment: moment.lowest.name,
    "gap": lambda moment: number(moment.now.gap),
    "gap_before": _gap_before,
    "rule": lambda moment: ", ".join(sorted(moment.now.rules)),
}
"""Name in braces -> its text."""


class FigureTexts(Mapping[str, str]):
    """The figures of one moment, each written when a text names it."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def __getitem__(self, name: str) -> str:
        return FIGURES[name](self._moment)

    def __iter__(self) -> Iterator[str]:
        return iter(FIGURES)

    def __len__(self) -> int:
        return len(FIGURES)
