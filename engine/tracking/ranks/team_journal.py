"""The record of a loop on several ranks, and the orders that all of them obey."""

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.log.reading.decode import decode_packed
from engine.log.records import State
from engine.tracking.controls import LoopOrders
from engine.tracking.safe_journal import Begin, SafeJournal

if TYPE_CHECKING:
    from engine.tracking.ranks.team import Team  # imports torch

_PAUSE_SECONDS: Final = 0.2
"""Seconds between two meetings while the loop is paused, so that no collective times out."""


class TeamJournal(SafeJournal):
    """Everything that a loop of several ranks records; each rank has one, and rank 0's writes.

    Faults in the record of rank 0 do not keep it from meeting the others.
    """

    def __init__(self, begin: Begin, team: "Team", *, is_off: bool) -> None:
        super().__init__(begin, is_off=is_off)
        self._team = team
        self._planned = 0
        self._is_end_asked = False

    @property
    def epochs(self) -> int:
        """Planned epochs, the same on all ranks."""
        self._planned = super().epochs or self._planned
        return self._planned

    @property
    def is_end_asked(self) -> bool:
        """True once rank 0 has passed on that a viewer has asked the loop to end."""
        return self._is_end_asked

    def add_shared(
        self, loss: Any, weight: Any, samples: int, lr: float, *, ends_update: bool
    ) -> None:
        """Keep a batch until the ranks meet, which they do at the end of some updates."""
        if self.begins:
            self.begin(samples, lr)
        self._team.add(loss, weight, samples, lr, ends_update=ends_update)
        if ends_update and self._team.is_due:
            self.meet()

    def meet(self) -> None:
        """Meet the other ranks: record the batches of all, and obey the same orders."""
        self._meet()
        while self.state is State.PAUSED:
            time.sleep(_PAUSE_SECONDS)
            self._meet()

    def _meet(self) -> None:
        shared, data = self._team.meet(self._orders())
        if self._team.is_recorder:
            for each in shared:
                self.add(
                    each.loss, each.samples, each.lr, ends_update=each.ends_update, obeys=False
                )
        orders = decode_packed(data, LoopOrders) if data else LoopOrders()
        self._is_end_asked |= orders.is_end
        self.follow(orders)
        if orders.going is not None:
            self._team.meet_soon()

    def _orders(self) -> bytes:
        """The orders of rank 0's viewers; empty on other ranks."""
        if not self._team.is_recorder:
            return b""
        orders = self.take_orders()
        return msgspec.msgpack.encode(orders) if orders is not None else b""
