"""The meetings of a rank with the others: the record takes in what all trained, and obeys.

Every decision about the next collective follows from what all ranks have received alike, never from
the state of one rank's record, which a fault may have ended.
"""

import time
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from engine.log.commands import Pause, StepOnce
from engine.log.reading.decode import decode_packed
from engine.tracking.controls import LoopOrders

if TYPE_CHECKING:
    from engine.tracking.ranks.team import SharedBatch, Team  # imports torch

_PAUSE_SECONDS: Final = 0.2
"""Seconds between two meetings while the loop is paused, so that no collective times out."""


class RankRecord(Protocol):
    """The record of one rank. No method raises."""

    @property
    def is_able(self) -> bool:
        """False once a fault keeps it from obeying orders."""

    @property
    def ahead(self) -> int:
        """Batches that the loader of this rank has read ahead."""

    @property
    def has_deferred(self) -> bool:
        """True while a change waits for its batch."""

    def take_orders(self) -> LoopOrders | None:
        """Take what viewers have ordered; None for nothing."""

    def take_in(self, batch: "SharedBatch") -> None:
        """Count a batch of all ranks; rank 0 records it."""

    def follow(self, orders: LoopOrders, ahead: int) -> None:
        """Obey orders; `ahead`: the most batches that a rank's loader has read ahead."""

    def release(self) -> None:
        """Go on if it is paused: a rank can obey no longer."""


class Gathering:
    """The meetings of one rank."""

    def __init__(self, team: "Team") -> None:
        self.team = team
        self.is_end_asked = False
        """True once rank 0 has passed on that a viewer has asked the loop to end."""
        self.is_keep_due = False
        """True once all ranks know that rank 0 wants a checkpoint."""
        self._is_paused = False
        self._pauses_next = False
        """True if the loop pauses at the next meeting, after one update."""

    def meet(self, record: RankRecord) -> None:
        """Meet the other ranks, again and again while the loop is paused."""
        self._meet(record)
        while self._is_paused:
            time.sleep(_PAUSE_SECONDS)
            self._meet(record)

    def _meet(self, record: RankRecord) -> None:
        found = self.team.meet(
            self._orders(record),
            is_able=record.is_able,
            ahead=record.ahead,
            is_soon=record.has_deferred,
        )
        for batch in found.batches:
            record.take_in(batch)
        orders = decode_packed(found.orders, LoopOrders) if found.orders else LoopOrders()
        self.is_end_asked |= orders.is_end
        self.is_keep_due |= orders.is_keep
        self._pause(orders, is_able=found.is_able)
        if found.is_able:
            record.follow(orders, found.ahead)
        else:
            record.release()
        if found.orders or self._pauses_next:
            self.team.meet_soon()

    def _orders(self, record: RankRecord) -> bytes:
        """The orders of rank 0's viewers; empty on other ranks."""
        if not self.team.is_recorder:
            return b""
        orders = record.take_orders()
        if orders is None or orders == LoopOrders():
            return b""
        return msgspec.msgpack.encode(orders)

    def _pause(self, orders: LoopOrders, *, is_able: bool) -> None:
        """Follow the pauses among the orders, as the records of all ranks do."""
        if self._pauses_next:
            self._is_paused, self._pauses_next = True, False
        if orders.going is not None:
            self._is_paused = isinstance(orders.going, Pause)
            self._pauses_next = isinstance(orders.going, StepOnce)
        if orders.is_end or not is_able:
            self._is_paused = self._pauses_next = False
