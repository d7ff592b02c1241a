"""A variant's training so far, as its log tells it: a fold over the records of earlier workers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.log.file import LogReader
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Evaluation,
    Planned,
    Started,
    State,
    StateChanged,
    Validated,
)

Losses = NDArray[np.float32]
Turn = Changed | Planned
"""A record of something that training depends on from a batch on."""


@dataclass(slots=True)
class Past:
    """The last generation in a log, up to its last loss."""

    started: Started | None = None
    """The beginning of the generation; None if none has begun."""
    batches: int = 0
    seconds: float = 0.0
    epochs: int = 0
    """Planned epochs."""
    evaluated_epoch: int = -1
    """The last epoch with an evaluation; -1 before that of the first weights."""
    validated_update: int = 0
    state: State = State.STARTING
    turns: list[tuple[int, Turn]] = field(default_factory=list)
    """Changes, each with the number of batches done before it."""

    @classmethod
    def read(cls, log: Path) -> "Past":
        """The past in this log. Raises LogDamagedError."""
        past = cls()
        for record in LogReader(log):
            past.add(record)
        return past

    @property
    def generation(self) -> int:
        """The number of the generation; 0 if none has begun."""
        return 0 if self.started is None else self.started.generation

    def add(self, record: AnyRecord) -> None:
        """Add the next record of the log."""
        match record:
            case Started():
                self.started, self.epochs, self.batches, self.seconds = record, record.epochs, 0, 0
                self.evaluated_epoch, self.validated_update = -1, 0
                self.turns = []
            case Chunk():
                self.batches = record.batch - 1 + record.batches
                self.seconds = record.seconds + record.duration
            case Evaluation():
                self.evaluated_epoch, self.validated_update = record.epoch, record.updates
            case Validated():
                self.validated_update = record.updates
            case Changed() | Planned():
                done = record.batch - 1 if isinstance(record, Changed) else self.batches
                self.turns.append((done, record))
                self.epochs = record.epochs if isinstance(record, Planned) else self.epochs
            case StateChanged():
                self.state = record.state
            case _:
                pass

    def turns_from(self, batches: int) -> Iterator[tuple[int, Turn]]:
        """The changes at or after this number of batches, in order."""
        return (turn for turn in self.turns if turn[0] >= batches)


def losses_after(log: Path, generation: int, batches: int) -> Losses:
    """The losses of a generation after so many batches, as logged."""
    parts = [np.zeros(0, "<f4")]
    for record in LogReader(log):
        if not isinstance(record, Chunk) or record.generation != generation:
            continue
        skipped = max(batches - (record.batch - 1), 0)
        if skipped < record.batches:
            parts.append(np.frombuffer(record.losses, "<f4")[skipped:])
    return np.concatenate(parts)
