"""Forks that wait for their past: the logs of a run are read one after the other.

The log of a fork may be read before the batches of the other variant after which it begins.
"""

from collections.abc import Callable, Iterator

from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord, Started


class WaitingForks:
    """The records of forks whose past has not been read yet, by variant."""

    def __init__(self, has_past: Callable[[str, Started], bool]) -> None:
        """`has_past`: True if the batches before this beginning of a variant have been read."""
        self._has_past = has_past
        self._records: dict[str, list[AnyRecord | LossBlock]] = {}

    def __bool__(self) -> bool:
        return bool(self._records)

    def holds(self, name: str, record: AnyRecord | LossBlock) -> bool:
        """True if the record waits, as those before it do or as its own past is missing."""
        if waiting := self._records.get(name):
            waiting.append(record)
            return True
        if not isinstance(record, Started) or record.origin is None or not record.origin.variant:
            return False
        if self._has_past(name, record):
            return False
        self._records[name] = [record]
        return True

    def take(self, *, every: bool = False) -> Iterator[tuple[str, AnyRecord | LossBlock]]:
        """Records that need not wait any longer; `every`: all of them, as no past will come."""
        for name in [*self._records]:
            first = self._records[name][0]
            if every or (isinstance(first, Started) and self._has_past(name, first)):
                for record in self._records.pop(name):
                    yield name, record
