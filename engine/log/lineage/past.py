"""A variant's training so far, as its log tells it: a fold over the records of earlier workers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.log.file import LogReader
from engine.log.records import (
    AnyRecord,
    Changed,
    Chunk,
    Evaluation,
    Origin,
    Planned,
    Started,
    State,
    StateChanged,
    Validated,
)
from engine.settings import VariantSettings

Losses = NDArray[np.float32]
Turn = Changed | Planned
"""A record of something that training depends on from a batch on."""


@dataclass(slots=True)
class Past:
    """A generation in a log, up to its last loss."""

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
    loss_at_start: float | None = None
    """The loss on the training data before the first batch; None if it is not known."""

    @classmethod
    def read(cls, log: Path) -> "Past":
        """The last generation in this log, an empty one if none has begun.

        Raises LogDamagedError.
        """
        return [cls(), *read_generations(log).values()][-1]

    @property
    def generation(self) -> int:
        """The number of the generation; 0 if none has begun."""
        return 0 if self.started is None else self.started.generation

    @property
    def origin(self) -> Origin | None:
        """The point after which the generation begins; None for the initial weights."""
        return None if self.started is None else self.started.origin

    def add(self, record: AnyRecord) -> None:
        """Add the next record of the log."""
        match record:
            case Started():
                self._begin(record)
            case Chunk():
                self.batches = record.batch - 1 + record.batches
                self.seconds = record.seconds + record.duration
            case Evaluation():
                if not record.epoch:
                    self.loss_at_start = record.training_loss
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

    def _begin(self, record: Started) -> None:
        self.started, self.epochs, self.state = record, record.epochs, State.STARTING
        if (origin := record.origin) is not None:
            self.batches, self.seconds = origin.batches, origin.seconds
            self.evaluated_epoch, self.validated_update = origin.epoch - 1, origin.updates
            self.loss_at_start = origin.loss_at_start

    def settings_after(self, batches: int) -> tuple[VariantSettings, int | None]:
        """The settings in force after so many batches, and the micro-batch."""
        assert self.started is not None
        found: Started | Changed = self.started
        for done, turn in self.turns:
            if isinstance(turn, Changed) and done <= batches:
                found = turn
        return found.settings, found.micro_batch


def read_generations(log: Path) -> dict[int, Past]:
    """The generations in a log by number, in order. Raises LogDamagedError."""
    found: dict[int, Past] = {}
    past = Past()
    for record in LogReader(log):
        if isinstance(record, Started):
            past = found[record.generation] = Past()
        past.add(record)
    return found


def losses_between(log: Path, generation: int, batches: int, until: int) -> Losses:
    """The losses of a generation after so many batches and up to another number, as logged."""
    parts = [np.zeros(0, "<f4")]
    for record in LogReader(log):
        if not isinstance(record, Chunk) or record.generation != generation:
            continue
        skipped = max(batches - (record.batch - 1), 0)
        if skipped < record.batches:
            parts.append(np.frombuffer(record.losses, "<f4")[skipped:])
    return np.concatenate(parts)[: max(until - batches, 0)]


class CompiledPiece(NamedTuple):
    """Consecutive batches of an epoch that were trained in whole calls of a compiled step.

    The eager step trained those that were left.
    """

    begin: int
    """Batches done before."""
    end: int
    updates: int
    """Updates in a call."""
    has_end: bool
    """True if a program of its own trained the short group at the end."""


def compiled_between(log: Path, generation: int, batches: int, until: int) -> list[CompiledPiece]:
    """The pieces of a generation that begin after so many batches and before another number."""
    return [
        CompiledPiece(
            part.batch - 1, part.batch - 1 + part.batches, part.compiled, part.compiled_end
        )
        for record in LogReader(log)
        if isinstance(record, Chunk) and record.compiled and record.generation == generation
        for part in record.by_epoch()
        if batches <= part.batch - 1 < until
    ]
