"""Runs that get no host again, and why."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from engine.log.directory import RunDirectory
from engine.session.host.note import HostNote, write_note
from gdtui.cli.commands.control.reopening import reopen
from gdtui.cli.hosts.reaching import UnreachableError

MakeRun = Callable[..., RunDirectory]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"device": "imported"}, "was imported, and cannot be trained"),
        ({"problem": "/home/other/net.py"}, "resume .* --problem /home/other/net.py"),
    ],
)
def test_a_run_that_cannot_be_trained_from_here(
    make_run: MakeRun, changes: dict[str, str], why: str
) -> None:
    stored = make_run()
    info = msgspec.structs.replace(
        stored.info, settings=msgspec.structs.replace(stored.info.settings, **changes)
    )
    with pytest.raises(UnreachableError, match=why) as refused:
        reopen(RunDirectory(stored.path, info), 0.0)
    assert "gdtui watch" in str(refused.value)


def test_a_run_that_another_process_holds_is_refused_with_its_name(make_run: MakeRun) -> None:
    held = RunDirectory.open(make_run().path)
    held.hold()
    note = HostNote(
        version="1", host="box", boot="b", pid=4711, socket=str(Path("/tmp/0123456789abcdef.sock")),
        began=1e9, variants=(),
    )  # fmt: skip
    write_note(held, note)
    with pytest.raises(UnreachableError, match=r"in use .*process 4711 on box since 2001-09"):
        reopen(RunDirectory.open(held.path), 0.0)
    held.custody.release()
