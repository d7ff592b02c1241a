"""Templates of lines: their text without the numbers, which most lines of a program share.

The expensive search for names and their numbers is done once for each template; afterwards only the
numbers are read.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from engine.programs.text.numerals import NUMBER

Plan = TypeVar("Plan")

_NUMBER: Final = re.compile(rf"(?<![\w./@])({NUMBER})")
_MARK: Final = "\0"
_MOST_TEMPLATES: Final = 512


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in all lines of a template: its number with this index, or else a fixed text."""

    index: int | None
    text: str = ""

    def of(self, numbers: Sequence[str]) -> str:
        """The text at this place, given the numbers of a line."""
        return self.text if self.index is None else numbers[self.index]


class Templates(Generic[Plan]):
    """The plans for the templates that were met last."""

    def __init__(self, make: Callable[[str, Callable[[int, str], Spot]], Plan]) -> None:
        """`make` reads a line; its second argument makes the spot of a text at an offset there."""
        self._make = make
        self._plans: dict[str, Plan] = {}

    def plan(self, text: str) -> tuple[Plan, list[str]]:
        """The plan for a line, and the numbers in the line."""
        parts = _NUMBER.split(text)
        template, numbers = _MARK.join(parts[::2]), parts[1::2]
        plan = self._plans.get(template)
        if plan is None:
            spots = _Spots(parts)
            plan = self._make(text, spots.at)
            if spots.are_exact:
                if len(self._plans) >= _MOST_TEMPLATES:
                    self._plans.clear()
                self._plans[template] = plan
        return plan, numbers


class _Spots:
    """The numbers of a line, by their offsets."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._numbers: list[tuple[int, int]] = []
        offset = 0
        for place, part in enumerate(parts):
            if place % 2:
                self._numbers.append((offset, offset + len(part)))
            offset += len(part)
        self.are_exact = True
        """False once a spot was only a part of a number, so that other lines may differ there."""

    def at(self, start: int, text: str) -> Spot:
        """The spot of a text that stands there."""
        stop = start + len(text)
        for index, (first, last) in enumerate(self._numbers):
            if (first, last) == (start, stop):
                return Spot(index)
            if first < stop and start < last:
                self.are_exact = False
        return Spot(None, text)
