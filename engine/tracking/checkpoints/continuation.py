"""The training that a script goes on with: its variant in a run, and the point of a checkpoint."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.log.records import Origin, Resumed
from engine.settings import VariantSettings
from engine.tracking.record.chunking import Counters

if TYPE_CHECKING:
    from engine.log.directory import RunDirectory
    from engine.tracking.checkpoints.place import LoopPlace  # imports torch


class ResumeError(RuntimeError):
    """A script cannot go on with a run; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class KeptPoint:
    """The point of a checkpoint, from which a loop goes on."""

    origin: Origin
    resumed: Resumed
    settings: VariantSettings
    """The settings in force."""
    n: int
    """Samples in an epoch; made up if the log says so."""
    epochs: int
    """Planned epochs."""
    assumed: tuple[str, ...]
    """Columns of the log that are made up."""
    loop: "LoopPlace"

    @property
    def counters(self) -> Counters:
        """The counters of the loop at this point."""
        origin, loop = self.origin, self.loop
        return Counters(
            epoch=origin.epoch + (loop.has_epoch_ended and not loop.is_in_epochs),
            batches=origin.batches,
            updates=origin.updates,
            samples=origin.samples,
            seconds=origin.seconds,
        )


@dataclass(frozen=True, slots=True)
class Continuation:
    """A variant that a script goes on with, in another generation."""

    run: "RunDirectory | None"
    """None on ranks that write nothing."""
    name: str
    generation: int
    worker: int
    """The number of this process among those that have trained the variant."""
    last_command: int
    """The id of the last command that the run's log has."""
    point: KeptPoint | None
    """None if the training begins again with its first weights."""
    refused: tuple[str, ...] = ()
    """Checkpoints that could not be used, each with its file and the reason."""
