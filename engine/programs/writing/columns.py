"""The numbers beside the losses of a program, as records by name."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from engine.log.records import Scalars
from engine.programs.readings import Reading

_MOST_NAMES: Final = 500


class ScalarColumns:
    """The names under which numbers are kept: the first ones, as many as a log may have."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def known(self, values: Mapping[str, float]) -> dict[str, float]:
        """The numbers that are kept."""
        return {name: value for name, value in values.items() if self._knows(name)}

    def records(
        self, readings: Sequence[Reading], generation: int, before: int
    ) -> Iterator[Scalars]:
        """The numbers of consecutive readings, those with the same names together.

        `before`: batches of the generation before the first reading.
        """
        named: dict[tuple[str, ...], list[int]] = {}
        for place, reading in enumerate(readings):
            if names := tuple(filter(self._knows, reading.scalars)):
                named.setdefault(names, []).append(place)
        for names, places in named.items():
            count = len(places)
            batches = [before + 1 + place for place in places]
            values = {
                name: struct.pack(f"<{count}d", *(readings[k].scalars[name] for k in places))
                for name in names
            }
            yield Scalars(
                generation=generation, batches=struct.pack(f"<{count}Q", *batches), values=values
            )

    def _knows(self, name: str) -> bool:
        if len(self._names) < _MOST_NAMES:
            self._names.add(name)
        return name in self._names
