"""The record of a loop on several ranks, and the orders that all of them obey."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.tracking.controls import LoopOrders
from engine.tracking.ranks.gathering import Gathering
from engine.tracking.record.remarks import DEAF, OF_RANKS
from engine.tracking.safe_journal import Begin, SafeJournal

if TYPE_CHECKING:
    from engine.tracking.ranks.team import SharedBatch, Team  # imports torch


class TeamJournal(SafeJournal):
    """Everything that a loop of several ranks records; each rank has one, and rank 0's writes.

    Faults in the record of a rank do not keep it from meeting the others.
    """

    def __init__(self, begin: Begin, team: "Team", *, is_off: bool) -> None:
        super().__init__(begin, is_off=is_off)
        self._gathering = Gathering(team)
        self._planned = 0
        self.wants_checkpoint: Callable[[], bool] = lambda: False
        """True on rank 0 once its script has asked for a checkpoint."""

    @property
    def epochs(self) -> int:
        """Planned epochs, the same on all ranks."""
        self._planned = super().epochs or self._planned
        return self._planned

    @property
    def is_end_asked(self) -> bool:
        """True once rank 0 has passed on that a viewer has asked the loop to end."""
        return self._gathering.is_end_asked

    @property
    def is_keep_due(self) -> bool:
        """True once all ranks know that rank 0 wants a checkpoint, until it is taken."""
        return self._gathering.is_keep_due

    def begin_keeping(self) -> None:
        """Note that all ranks take the checkpoint now."""
        self._gathering.is_keep_due = False

    def take_orders(self) -> LoopOrders | None:
        """Take what viewers have ordered, and the script."""
        if (orders := super().take_orders()) is not None:
            orders.is_keep = self.wants_checkpoint()
        return orders

    def add_shared(
        self, loss: Any, weight: Any, samples: int, lr: float, *, ends_update: bool
    ) -> None:
        """Keep a batch until the ranks meet, which they do at the end of some updates."""
        if self.begins:
            self.begin(samples, lr)
        team = self._gathering.team
        team.add(loss, weight, samples, lr, ends_update=ends_update)
        if ends_update and team.is_due:
            self.meet()

    def meet(self) -> None:
        """Meet the other ranks: record the batches of all, and obey the same orders."""
        self._gathering.meet(self)

    def end_group(self) -> None:
        """Record that the end of an epoch has cut a group of batches short."""
        self.meet()
        super().end_group()

    # --- Of this rank, for the meetings ---------------------------------------------------------

    @property
    def is_able(self) -> bool:
        """False once a fault keeps it from obeying orders."""
        return self._journal is not None and not self._journal.is_broken

    @property
    def ahead(self) -> int:
        """Batches that the loader of this rank has read ahead."""
        return 0 if self._journal is None else self._journal.levers.ahead

    @property
    def has_deferred(self) -> bool:
        """True while a change waits for its batch."""
        return self._journal is not None and self._journal.has_deferred

    def take_in(self, batch: "SharedBatch") -> None:
        """Count a batch of all ranks; rank 0 records it."""
        self.remark(OF_RANKS)
        self.add(batch.loss, batch.samples, batch.lr, ends_update=batch.ends_update, obeys=False)

    def follow(self, orders: LoopOrders, ahead: int) -> None:
        """Obey orders, between two updates; never waits."""
        if (journal := self._journal) is not None:
            with self._guarded():
                journal.follow(orders, ahead)

    def release(self) -> None:
        """Go on if it is paused: a rank can obey no longer."""
        self.remark(DEAF)
        if (journal := self._journal) is not None:
            with self._guarded():
                journal.release()
