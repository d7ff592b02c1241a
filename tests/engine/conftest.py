"""Sessions with real workers, closed when their test ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sessions import StartRun, Watched

from engine.log.directory import RunDirectory
from engine.log.filesystem.private import PrivateDirectory
from engine.session import Session
from engine.settings import FULL, BatchSize, RunSettings, Variant, VariantSettings, default_names


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[StartRun]:
    """Start real workers: `start_run(batch_sizes, run settings…, variant={settings…})`.

    Closed at the end.
    """
    sessions: list[Session] = []

    def start(
        batch_sizes: tuple[BatchSize, ...] = (FULL, 64, 1),
        variant: dict[str, object] | None = None,
        handover: PrivateDirectory | None = None,
        **run: object,
    ) -> Watched:
        variants = tuple(
            Variant(name=name, settings=VariantSettings(batch_size=size, **(variant or {})))  # type: ignore[arg-type]
            for name, size in zip(default_names(batch_sizes), batch_sizes, strict=True)
        )
        settings = RunSettings(variants=variants, **run)  # type: ignore[arg-type]
        directory = RunDirectory.create(tmp_path / f"run{len(sessions)}", settings, "0", handover)
        sessions.append(Session(directory))
        sessions[-1].start()
        return Watched(sessions[-1])

    yield start
    for session in sessions:
        session.close()


@pytest.fixture(scope="session", autouse=True)
def _warm_server() -> None:
    """One fork server for all tests: torch is imported once."""
    from engine.jobs.fork_server import warm_up

    warm_up()
