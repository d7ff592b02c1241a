"""The one place in a program's output from which its loss is read, and what else prints a loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.programs.text.names import Meaning, meaning
from engine.programs.text.printed import Form, Printed

_OTHERS: Final = 20
"""Losses from elsewhere in a row after which the loss is read there."""
_SUMMARIES: Final = 2
"""Lines with both losses after which their training loss is taken as the loss of the steps."""


@dataclass(frozen=True, slots=True)
class Source:
    """A form with the name of the loss; for a bar, also its description."""

    form: Form
    label: str
    name: str


class SourceChoice:
    """The choice of the source, which can change while the program runs."""

    def __init__(self) -> None:
        self.chosen: Source | None = None
        self._others = 0
        self._summaries = 0

    def loss_of(self, printed: Printed) -> tuple[Source, float] | None:
        """The likeliest loss among these numbers; None without one."""
        names = [name for name in printed.values if meaning(name).is_loss]
        if not names:
            return None
        chosen = self.chosen
        name = min(names, key=meaning)
        if chosen is not None and chosen.name in names and chosen.form is printed.form:
            name = chosen.name
        return Source(printed.form, printed.label, name), printed.values[name]

    def take(self, found: Source, values: Mapping[str, float]) -> bool:
        """Consider a source that has just printed a loss; True if the loss is to be read there."""
        if found == self.chosen:
            self._others = 0
            return True
        if self.chosen is None:
            if meaning(found.name) is not Meaning.LOSS and _is_summary(values):
                self._summaries += 1
                if self._summaries < _SUMMARIES:
                    return False
            self.chosen = found
            return True
        self._others += 1
        if self._others < _OTHERS and meaning(found.name) >= meaning(self.chosen.name):
            return False
        if self._others < _OTHERS and self.chosen.form is found.form:
            return False
        self.chosen, self._others = found, 0
        return True


def _is_summary(values: Mapping[str, float]) -> bool:
    """True for numbers that include the loss on held-out data, as evaluations do."""
    return any(meaning(name) is Meaning.HELD_OUT_LOSS for name in values)
