"""A training by a Trainer in several processes: one record, weighted over all, and the same keys.

Each process has a record. All of them count every batch and obey together; that of rank 0 writes.
"""

from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from engine.tracking.controls import LoopOrders
from engine.tracking.ranks.gathering import Gathering
from engine.tracking.ranks.team import SharedBatch, Team
from engine.tracking.record.remarks import DEAF

if TYPE_CHECKING:
    from engine.tracking.journal import Journal


class RankedRecord(Protocol):
    """The record of this process. No method raises."""

    @property
    def journal(self) -> "Journal | None":
        """The record once it has begun; None after a fault, too."""

    @property
    def is_recording(self) -> bool:
        """False after a fault."""

    def take_in(self, batch: SharedBatch) -> None:
        """Count a batch of all ranks."""

    def write_note(self, name: str, value: Any) -> None:
        """Record a number by its name, for the last batch taken in."""

    def give_up(self, error: Exception) -> None:
        """Train on without a record."""


class RankedTraining:
    """The part of one process in a training by several; its faults end its record alone."""

    def __init__(self, recorder: RankedRecord, team: Team) -> None:
        self.team = team
        self._recorder = recorder
        self._gathering = Gathering(team)
        self._notes: list[tuple[int, str, Any]] = []
        """Numbers by name, each with the number of its batch since the last meeting."""
        self._taken = 0
        """Batches of this meeting that were counted already."""

    # --- What the Trainer does ------------------------------------------------------------------

    def add(self, loss: Any, weight: Any, samples: int, lr: float, *, ends_update: bool) -> None:
        """Keep a micro-batch until the ranks meet; one without a loss counts for nothing."""
        is_whole = isinstance(loss, Tensor) and loss.numel() == 1
        if not is_whole:
            loss, weight, samples = torch.zeros(()), 0, 0
        self.team.add(loss, weight, samples, lr, ends_update=ends_update)

    def note(self, name: str, value: Any) -> None:
        """Keep a number of the last micro-batch until the ranks meet."""
        if self.team.is_recorder:
            self._notes.append((self.team.pending, name, value))

    def settle(self) -> None:
        """Meet the other ranks if there are batches that the record does not have yet."""
        if self.team.pending:
            self._meet()

    def obey(self) -> bool:
        """Meet the other ranks if that is due; true if the end of the training was asked for."""
        if self.team.is_due:
            self._meet()
        return self._gathering.is_end_asked

    def _meet(self) -> None:
        self._gathering.meet(self)

    # --- For the meetings -----------------------------------------------------------------------

    @property
    def is_able(self) -> bool:
        """False once a fault keeps it from obeying orders."""
        journal = self._recorder.journal
        return self._recorder.is_recording and (journal is None or not journal.is_broken)

    @property
    def ahead(self) -> int:
        """Irrelevant to a Trainer, whose batch size stays."""
        return 0

    @property
    def has_deferred(self) -> bool:
        """True while a change waits for its batch."""
        return (journal := self._recorder.journal) is not None and journal.has_deferred

    def take_orders(self) -> LoopOrders | None:
        """Take what viewers have ordered; None for nothing."""
        if (journal := self._recorder.journal) is None:
            return None
        orders = journal.session.take() if journal.session.is_due else LoopOrders()
        orders.is_end = journal.is_end_asked
        return orders

    def take_in(self, batch: SharedBatch) -> None:
        """Count a batch of all ranks, with the numbers that belong to it."""
        self._recorder.take_in(batch)
        self._taken += 1
        while self._notes and self._notes[0][0] <= self._taken:
            _, name, value = self._notes.pop(0)
            self._recorder.write_note(name, value)

    def follow(self, orders: LoopOrders, ahead: int) -> None:
        """Obey orders, between two updates."""
        self._taken = 0
        if (journal := self._recorder.journal) is not None:
            try:
                journal.follow(orders, ahead)
            except Exception as error:
                self._recorder.give_up(error)

    def release(self) -> None:
        """Go on if it is paused: a rank can obey no longer."""
        self._taken = 0
        if (journal := self._recorder.journal) is not None:
            try:
                journal.remark(DEAF)
                journal.release()
            except Exception as error:
                self._recorder.give_up(error)
