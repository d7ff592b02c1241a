"""Numbers that a loop logs by name, put together to records."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from engine.log.records import Scalars
from engine.settings.text import clean
from engine.tracking.record.chunking import packed_numbers
from engine.tracking.record.numbers import NumberBuffer, Numbers

_MOST_CHARACTERS: Final = 200
_MOST_NAMES: Final = 500
"""Half of those that a log may have: a script that goes on with another's log may bring others."""


class ScalarBuffer:
    """The numbers since the last record, each with its batch."""

    def __init__(self, make: Callable[[], NumberBuffer], generation: int = 1) -> None:
        self._make = make
        self._generation = generation
        self._named: dict[str, tuple[list[int], NumberBuffer]] = {}

    def add(self, name: str, batch: int, value: Any) -> None:
        """Add a number; the first one of a name counts for a batch.

        Raises TypeError or ValueError unless it is one number, and if there are too many names.
        """
        name = clean(name)[:_MOST_CHARACTERS] or "unnamed"
        if (found := self._named.get(name)) is None:
            if len(self._named) >= _MOST_NAMES:
                raise ValueError(f"a run holds at most {_MOST_NAMES} names")
            found = self._named[name] = ([], self._make())
        batches, values = found
        if not batches or batches[-1] < batch:
            values.add(value)
            batches.append(batch)

    def take(self) -> Iterator[Callable[[], Scalars]]:
        """Functions that make the records of all numbers; names of the same batches share one."""
        by_batches: dict[tuple[int, ...], dict[str, Numbers]] = {}
        for name, (batches, values) in self._named.items():
            if batches:
                by_batches.setdefault(tuple(batches), {})[name] = values.take()
                batches.clear()
        for numbers, named in by_batches.items():
            yield partial(_record, self._generation, numbers, named)


def _record(generation: int, batches: tuple[int, ...], named: dict[str, Numbers]) -> Scalars:
    return Scalars(
        generation=generation,
        batches=packed_numbers("Q", batches),
        values={name: packed_numbers("d", each.floats()) for name, each in named.items()},
    )
