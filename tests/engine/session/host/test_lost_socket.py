"""A host whose socket has vanished, or was replaced, makes it again."""

from pathlib import Path

from hosts import HELLO, VERSION, RawClient

from engine.log.directory import RunDirectory
from engine.session import Session
from engine.session.host.address import listen
from engine.session.host.note import read_notes
from engine.session.host.protocol import Welcome
from engine.session.host.server import HostServer
from engine.settings import RunSettings, Variant, VariantSettings


def test_a_vanished_socket_is_made_again(tmp_path: Path, root: Path) -> None:
    variants = (Variant(name="SGD", settings=VariantSettings()),)
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")
    now = [0.0]
    with Session(run) as session:
        server = HostServer(session, VERSION, root=root, clock=lambda: now[0])
        first = RawClient(str(server.path))
        server.path.unlink()
        server.path.parent.rmdir()
        now[0] += 60
        server.serve(0)
        second = RawClient(str(server.path))
        second.send(HELLO)
        server.serve(5)
        server.serve(5)
        assert isinstance(second.receive(), Welcome)
        first.close()
        second.close()
        server.close()
        assert not server.path.exists()
        assert read_notes(run.path) == []


def test_a_socket_in_the_place_of_the_hosts_own_is_replaced(tmp_path: Path, root: Path) -> None:
    variants = (Variant(name="SGD", settings=VariantSettings()),)
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")
    now = [0.0]
    with Session(run) as session:
        server = HostServer(session, VERSION, root=root, clock=lambda: now[0])
        listen(server.path.with_suffix(".other")).close()
        server.path.with_suffix(".other").rename(server.path)
        now[0] += 60
        server.serve(0)
        client = RawClient(str(server.path))
        client.send(HELLO)
        server.serve(5)
        server.serve(5)
        assert isinstance(client.receive(), Welcome)
        client.close()
        server.close()
