"""A session with real workers, and how to wait for what they do."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.follow import Follower
from engine.messages import AnyRecord
from engine.notices import Notice
from engine.rundir import RunDirectory
from engine.session import Session
from engine.settings import FULL, BatchSize, RunSettings, Variant, VariantSettings, default_names
from engine.tally import Tally

PATIENCE = 60.0
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
            self.records[name].append(record)
            self.tallies[name].add(record)

    def until(self, condition: Callable[[], object]) -> None:
        """Watch until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, (self.tallies, self.notices)
            time.sleep(0.005)
            self.look()

    def of(self, name: str, kind: type[AnyRecord]) -> list[AnyRecord]:
        """The records of that kind of one variant."""
        return [record for record in self.records[name] if isinstance(record, kind)]

    def losses(self, name: str) -> bytes:
        from engine.messages import Chunk

        return b"".join(record.losses for record in self.of(name, Chunk))  # type: ignore[union-attr]

    def states(self) -> set[str]:
        return {tally.state for tally in self.tallies.values()}


StartRun = Callable[..., Watched]


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[StartRun]:
    """Start real workers: `start_run(batch_sizes, run settings…, variant={settings…})`; closed at the end."""
    sessions: list[Session] = []

    def start(
        batch_sizes: tuple[BatchSize, ...] = (FULL, 64, 1),
        variant: dict[str, object] | None = None,
        **run: object,
    ) -> Watched:
        variants = tuple(
            Variant(name=name, settings=VariantSettings(batch_size=size, **(variant or {})))  # type: ignore[arg-type]
            for name, size in zip(default_names(batch_sizes), batch_sizes, strict=True)
        )
        settings = RunSettings(variants=variants, **run)  # type: ignore[arg-type]
        directory = RunDirectory.create(tmp_path / f"run{len(sessions)}", settings, "0")
        sessions.append(Session(directory))
        sessions[-1].start()
        return Watched(sessions[-1])

    yield start
    for session in sessions:
        session.close()


@pytest.fixture(scope="session", autouse=True)
def _warm_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One fork server for all tests: torch is imported once."""
    from engine.launch import warm_up

    warm_up(tmp_path_factory.mktemp("server") / "workers.out")
