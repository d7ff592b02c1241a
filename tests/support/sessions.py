"""A session with real workers, and how to wait for what they do."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from engine.log.follow import Follower
from engine.log.notices import Notice
from engine.log.records import AnyRecord, Chunk, State, VariantAdded
from engine.log.summary import Tally
from engine.session import Session

PATIENCE = 120.0
"""Seconds after which a test gives up waiting: far beyond what a busy machine needs."""


class Watched:
    """A session whose records and notices are collected as they come."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.run = session.run
        self.names = [variant.name for variant in self.run.info.settings.variants]
        self.records: dict[str, list[AnyRecord]] = {name: [] for name in self.names}
        self.tallies = {
            variant.name: Tally(name=variant.name, settings=variant.settings)
            for variant in self.run.info.settings.variants
        }
        self.notices: list[Notice] = []
        self._follower = Follower(self.run)

    def look(self) -> None:
        self.notices += self.session.poll()
        for name, record in self._follower.read():
            if isinstance(record, VariantAdded):
                self.records.setdefault(name, [])
                self.tallies.setdefault(name, Tally(name, record.settings))
            self.records[name].append(record)
            self.tallies[name].add(record)

    def until(self, condition: Callable[[], object]) -> None:
        """Watch until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, (self.tallies, self.notices)
            time.sleep(0.01)
            self.look()

    def of(self, name: str, kind: type[AnyRecord]) -> list[AnyRecord]:
        """The records of that kind of one variant."""
        return [record for record in self.records[name] if isinstance(record, kind)]

    def losses(self, name: str) -> bytes:
        return b"".join(record.losses for record in self.of(name, Chunk))  # type: ignore[union-attr]

    def states(self) -> set[str]:
        return {tally.state for tally in self.tallies.values()}


StartRun = Callable[..., Watched]


ENDED = {State.FINISHED}


def check_contiguous(chunks: list[Chunk]) -> None:
    """Batches, updates, samples and epochs of one generation follow each other without a gap."""
    for a, b in pairwise(chunks):
        assert b.batch == a.batch + a.batches
        assert b.samples == a.end_samples
        assert b.seconds == pytest.approx(a.seconds + a.duration)
        assert b.update in (a.last_update, a.last_update + 1)
        assert b.epoch in (a.last_epoch, a.last_epoch + 1)
