"""A host whose socket has vanished, or was replaced, makes it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hosts import HELLO, VERSION, RawClient

from engine.log.directory import RunDirectory
from engine.session import Session
from engine.session.host.address import listen
from engine.session.host.note import read_notes
from engine.session.host.protocol import Welcome
from engine.session.host.server import HostServer
from engine.settings import RunSettings, Variant, VariantSettings


@contextmanager
def hosted(run: Path, root: Path) -> Iterator[tuple[HostServer, list[float]]]:
    """A host of a run of one variant, and the clock that it reads."""
    variants = (Variant(name="SGD", settings=VariantSettings()),)
    now = [0.0]
    with Session(RunDirectory.create(run, RunSettings(variants=variants), "0")) as session:
        server = HostServer(session, VERSION, root=root, clock=lambda: now[0])
        yield server, now
        server.close()


def check_greeted(server: HostServer) -> None:
    """A new client reaches the host by the path of its socket."""
    client = RawClient(str(server.path))
    client.send(HELLO)
    server.serve(5)
    server.serve(5)
    assert isinstance(client.receive(), Welcome)
    client.close()


def test_a_vanished_socket_is_made_again(tmp_path: Path, root: Path) -> None:
    with hosted(tmp_path / "run", root) as (server, now):
        first = RawClient(str(server.path))
        server.path.unlink()
        server.path.parent.rmdir()
        now[0] += 60
        server.serve(0)
        check_greeted(server)
        first.close()
        server.close()
        assert not server.path.exists()
        assert read_notes(tmp_path / "run") == []


def test_a_socket_in_the_place_of_the_hosts_own_is_replaced(tmp_path: Path, root: Path) -> None:
    with hosted(tmp_path / "run", root) as (server, now):
        listen(server.path.with_suffix(".other")).close()
        server.path.with_suffix(".other").rename(server.path)
        now[0] += 60
        server.serve(0)
        check_greeted(server)
