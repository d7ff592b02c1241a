"""The state of a variant's latest worker: a fold over records of two logs, read in any order.

A worker's states are in its variant's log; its death and its replacement are in the session's log.
Their order never depends on wall-clock times, since clocks get adjusted.
"""

from dataclasses import dataclass

from engine.log.records import State, StateChanged, WorkerDied, WorkerReplaced


@dataclass(slots=True)
class LatestWorker:
    """The last state of the worker with the highest number.

    Logs of older versions have no numbers; with them, a death stands until the session's log says
    that the worker was replaced.
    """

    number: int = 0
    """The worker's number; 0 if no worker has reported yet, or if the number is unknown."""
    death: WorkerDied | None = None
    """Its death, until another worker replaces it."""
    last: StateChanged | None = None
    """The last state in the variant's log."""

    def add(self, record: StateChanged | WorkerDied | WorkerReplaced) -> None:
        """Add the next record of either log."""
        death = self.death
        match record:
            case StateChanged():
                self.last, self.number = record, max(self.number, record.worker)
                if death is not None and 0 < death.worker < record.worker:
                    self.death = None
            case WorkerDied() if not record.worker or record.worker >= self.number:
                self.death = record
            case WorkerReplaced() if death is not None and not death.worker:
                self.death = None
            case _:
                pass  # about a worker that was replaced long ago

    @property
    def state(self) -> State:
        """The current state; STARTING before the first record."""
        if self.death is not None:
            return State.DIED
        return State.STARTING if self.last is None else self.last.state

    @property
    def detail(self) -> str:
        """The reason for the state."""
        return getattr(self.death or self.last, "detail", "")

    @property
    def traceback(self) -> str:
        """The traceback of a failure."""
        return "" if self.death is not None or self.last is None else self.last.traceback
