"""A run directory says where its hosts listen, and may say anything."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.log.directory import RunDirectory
from engine.session.host.address import boot_id, host_name, socket_directory
from engine.session.host.client import ElsewhereError, HostError, find_host
from engine.session.host.note import HostNote, is_host_file, read_notes, write_note
from engine.settings.text import clean


def note(**changes: object) -> HostNote:
    values = {
        "version": "1", "host": host_name(), "boot": boot_id(), "pid": 1, "began": 1.0,
        "socket": f"{socket_directory()}/00112233445566aa.sock", "variants": ("SGD",), **changes,
    }  # fmt: skip
    return HostNote(**values)  # type: ignore[arg-type]


def test_a_host_replaces_the_notes_of_those_before_it(
    make_run: Callable[..., RunDirectory],
) -> None:
    run = make_run(names=("SGD", "Adam"))
    other = note(socket="/x/00112233445566bb.sock", variants=("Adam",), began=2.0)
    for each in (note(), note(socket="/x/00112233445566cc.sock"), other):
        assert is_host_file(write_note(run, each).name)
    assert [each.socket for each in read_notes(run.path)] == [
        "/x/00112233445566bb.sock",
        "/x/00112233445566cc.sock",
    ]


def test_a_host_is_found_by_the_boot_of_its_machine(make_run: Callable[..., RunDirectory]) -> None:
    run = make_run()
    with pytest.raises(HostError, match="no host"):
        find_host(run.path)
    write_note(run, note(boot="an earlier boot"))
    with pytest.raises(HostError, match="no host"):
        find_host(run.path)
    write_note(run, note(socket="/run/user/0/00112233445566aa.sock"))
    with pytest.raises(HostError, match="no host"):
        find_host(run.path)
    write_note(run, note(boot="another", host="box"))
    with pytest.raises(ElsewhereError) as caught:
        find_host(run.path)
    assert caught.value.note.host == "box"
    write_note(run, note(host="renamed since"))
    assert find_host(run.path).host == "renamed since"


values = st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.lists(st.text()))


@given(st.dictionaries(st.sampled_from([*HostNote.__struct_fields__]), values))
def test_any_note_is_read_or_ignored(
    tmp_path_factory: pytest.TempPathFactory, wrong: dict[str, object]
) -> None:
    path: Path = tmp_path_factory.mktemp("run")
    sound = {name: getattr(note(), name) for name in HostNote.__struct_fields__}
    (path / "00112233445566aa.host").write_text(json.dumps({**sound, **wrong}))
    for found in read_notes(path):
        assert found.pid > 0
        assert clean(found.socket) == found.socket
