"""The state of a variant's latest worker: a fold over records of two logs, read in any order.

A worker's states are in its variant's log; its death and its replacement are in the session's log.
Their order never depends on wall-clock times, since clocks get adjusted.
"""

from dataclasses import dataclass, field
from typing import Final

from engine.log.records import (
    Remarked,
    State,
    StateChanged,
    VariantRemoved,
    WorkerDied,
    WorkerReplaced,
)

AboutWorker = StateChanged | WorkerDied | WorkerReplaced | VariantRemoved | Remarked

_MOST_REMARKS: Final = 50
"""Remarks kept; a script makes a few."""


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
    replacement: int = 0
    """The number of the last worker that was announced; it starts until it reports a state."""

    is_removed: bool = False
    """True once its variant was removed, until another worker takes it in again."""
    remarks: list[str] = field(default_factory=list)
    """Remarks on how the figures are to be read; each once, the last ones."""

    def add(self, record: AboutWorker) -> None:
        """Add the next record of either log."""
        death = self.death
        match record:
            case StateChanged():
                self.last, self.number = record, max(self.number, record.worker)
                if death is not None and 0 < death.worker < record.worker:
                    self.death = None
            case WorkerDied() if not record.worker or record.worker >= self.number:
                self.death = record
            case VariantRemoved():
                self.is_removed = True
            case Remarked(text=text) if text not in self.remarks:
                self.remarks = [*self.remarks[1 - _MOST_REMARKS :], text]
            case WorkerReplaced():
                self.is_removed = False
                self.replacement = max(self.replacement, record.worker)
                if death is not None and (not death.worker or death.worker < record.worker):
                    self.death = None
            case _:
                pass  # about a worker that was replaced long ago

    @property
    def state(self) -> State:
        """The current state; STARTING before the first record."""
        if self.death is not None:
            return State.DIED
        return State.STARTING if (last := self._report) is None else last.state

    @property
    def _report(self) -> StateChanged | None:
        """The last state, unless it is that of a worker before the last one."""
        last = self.last
        return None if last is None or last.worker < self.replacement else last

    @property
    def detail(self) -> str:
        """The reason for the state."""
        return getattr(self.death or self._report, "detail", "")

    @property
    def traceback(self) -> str:
        """The traceback of a failure."""
        last = self._report
        return "" if self.death is not None or last is None else last.traceback

    @property
    def is_usage_error(self) -> bool:
        """True if the user asked for something impossible; nothing broke."""
        return (last := self._report) is not None and last.is_usage_error

    @property
    def exit_status(self) -> int | None:
        """How the program of the run has ended, whose losses were read; None for a worker."""
        return (
            None if self.death is not None or (last := self._report) is None else last.exit_status
        )
