"""The numbers beside the loss: the learning rate, and scalars by name."""

from typing import Final

from engine.programs.text.names import Meaning, meaning
from engine.programs.text.printed import Printed

_MOST_NAMES: Final = 1_000


class ScalarNames:
    """The names of scalars, each of which has the unit in which it was printed first."""

    def __init__(self) -> None:
        self._units: dict[str, str] = {}
        self._remarks: list[str] = []

    def beside(self, printed: Printed, loss: str) -> tuple[float | None, dict[str, float]]:
        """The learning rate, None if there is none, and the scalars beside the loss."""
        rate = None
        scalars = {}
        for name, value in printed.values.items():
            if rate is None and meaning(name) is Meaning.RATE:
                rate = value
            elif name != loss:
                scalars[self._name(name, printed.units.get(name, ""))] = value
        return rate, scalars

    def take_remarks(self) -> list[str]:
        """Sentences about units that have changed; each is returned once."""
        remarks, self._remarks = self._remarks, []
        return remarks

    def _name(self, name: str, unit: str) -> str:
        """The name with the unit, if that is not the first one."""
        if name not in self._units and len(self._units) >= _MOST_NAMES:
            return name  # beyond those that a log can hold
        if self._units.setdefault(name, unit) == unit:
            return name
        named = f"{name} ({unit or 'no unit'})"
        if named not in self._units:
            self._units[named] = unit
            how = f"in {unit}" if unit else "without a unit"
            self._remarks.append(f"{name} is now printed {how}: recorded as {named}")
        return named
