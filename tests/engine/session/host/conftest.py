"""A host without workers, and raw clients of its socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts import NAMES, Connect, Hosted, RawClient, hosted

from engine.log.directory import RunDirectory
from engine.session import Session
from engine.settings import RunSettings, Variant, VariantSettings


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


@pytest.fixture
def host(tmp_path: Path, root: Path) -> Iterator[Hosted]:
    """The host of a run whose workers have not been started."""
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in NAMES)
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")
    with Session(run) as session, hosted(session, root) as found:
        yield found


@pytest.fixture
def connect(host: Hosted) -> Iterator[Connect]:
    clients: list[RawClient] = []

    def make() -> RawClient:
        clients.append(RawClient(host.note.socket))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
