"""The one place in a program's output from which its loss is read, and what else prints a loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.programs.text.names import Meaning, meaning
from engine.programs.text.printed import Form, Printed

_OTHERS: Final = 20
"""Losses from elsewhere in a row after which the loss is read there."""
_MEANS: Final = 4
"""The same for lines about epochs, of which a program may print one after its steps."""
_VARIATIONS: Final = 2
"""The same for the lines read so far with another unit, or now with steps."""
_SUMMARIES: Final = 2
"""Lines with both losses after which their training loss is taken as the loss of the steps."""
_SCALES: Final = ({"": 1.0, "%": 0.01}, {"nat": 1.0, "nats": 1.0, "bit": 0.6931471805599453,
                  "bits": 0.6931471805599453})  # fmt: skip
"""The units that can be converted into each other, by their size."""


@dataclass(frozen=True, slots=True)
class Source:
    """A form with the name of the loss; for a bar, also its description."""

    form: Form
    label: str
    name: str
    unit: str = ""
    is_of_epoch: bool = False
    """True for lines about epochs, whose loss is a mean."""

    @property
    def place(self) -> tuple[Form, str, str]:
        """The place without what the same lines may print otherwise later."""
        return self.form, self.label, self.name

    def is_of(self, printed: Printed) -> bool:
        """True for the source of the loss with its name in what was printed."""
        unit = printed.units.get(self.name, "")
        return (self.label, self.unit) == (printed.label, unit) and (
            self.is_of_epoch is printed.is_of_epoch
        )

    def differing_from(self, other: "Source") -> str:
        """The source in words, as far as it differs from another one."""
        if self.place != other.place:
            return f"{self.name} ({self.form})"
        if self.is_of_epoch != other.is_of_epoch:
            return f"{self.name} of epochs" if self.is_of_epoch else f"{self.name} of steps"
        return f"{self.name} in {self.unit}" if self.unit else f"{self.name} without a unit"

    def scale_to(self, other: "Source") -> float:
        """The factor from its unit to that of another source; 1 if that is unknown."""
        for scales in _SCALES:
            if self.unit in scales and other.unit in scales:
                return scales[self.unit] / scales[other.unit]
        return 1.0


class SourceChoice:
    """The choice of the source, which can change while the program runs."""

    def __init__(self) -> None:
        self.chosen: Source | None = None
        self._refused: set[Source] = set()
        self._waiting: list[Printed] = []
        """Losses of another source, while it is undecided if they are read."""
        self._others = 0
        self._summaries = 0

    def loss_of(self, printed: Printed) -> tuple[Source, float] | None:
        """The likeliest loss among these numbers; None without one."""
        chosen, values = self.chosen, printed.values
        if chosen is not None and chosen.form is printed.form and chosen.name in values:
            name = chosen.name
            if chosen.is_of(printed):
                return chosen, values[name]  # as nearly always
        else:
            names = [name for name in values if meaning(name).is_loss]
            if not names:
                return None
            name = min(names, key=meaning)
        unit = printed.units.get(name, "")
        return Source(printed.form, printed.label, name, unit, printed.is_of_epoch), values[name]

    def take(self, found: Source, printed: Printed) -> bool:
        """Consider a source that has just printed a loss; True if the loss is to be read there."""
        if found == self.chosen:
            self._others = 0
            self._waiting.clear()
            return True
        if found in self._refused:
            return False
        if self.chosen is None:
            if meaning(found.name) is not Meaning.LOSS and _is_summary(printed.values):
                self._summaries += 1
                if self._summaries < _SUMMARIES:
                    return False
            self.chosen = found
            return True
        self._others += 1
        if self._must_wait(found, self.chosen):
            self._waiting.append(printed)
            return False
        self.chosen, self._others = found, 0
        return True

    def take_waiting(self) -> list[Printed]:
        """Losses of the chosen source from before it was chosen; each is returned once."""
        waiting, self._waiting = self._waiting, []
        chosen = self.chosen
        return [each for each in waiting if (it := self.loss_of(each)) and it[0] == chosen]

    def refuse(self, before: Source) -> None:
        """Read the loss where it was before, and never again where it is read now."""
        assert self.chosen is not None
        self._refused.add(self.chosen)
        self.chosen, self._others = before, 0

    def _must_wait(self, found: Source, chosen: Source) -> bool:
        if found.place == chosen.place:
            is_mean = found.is_of_epoch and not chosen.is_of_epoch
            return self._others < (_MEANS if is_mean else _VARIATIONS)
        if self._others >= _OTHERS:
            return False
        return meaning(found.name) >= meaning(chosen.name) or chosen.form is found.form


def _is_summary(values: Mapping[str, float]) -> bool:
    """True for numbers that include the loss on held-out data, as evaluations do."""
    return any(meaning(name) is Meaning.HELD_OUT_LOSS for name in values)
