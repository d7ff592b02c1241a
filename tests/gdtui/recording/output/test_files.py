"""Files of a recording: refused early, and written whole or not at all."""

import os
from pathlib import Path

import pytest

from gdtui.recording.cast.footage import Footage
from gdtui.recording.output.files import Appearance, Output, OutputError, output_of, write_output

FOOTAGE = Footage(80, 24, (), "new")


def check(path: Path) -> None:
    output_of(path, Appearance(title=""))


def test_a_suffix_decides_what_is_written(tmp_path: Path) -> None:
    check(tmp_path / "demo.cast")
    check(tmp_path / "demo.TXT")
    with pytest.raises(OutputError, match=r"unknown suffix '\.mp4'.*choose from \.cast"):
        check(tmp_path / "demo.mp4")
    with pytest.raises(OutputError, match="the name has no suffix"):
        check(tmp_path / "demo")


def test_places_without_room_for_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.cast").mkdir()
    (tmp_path / "file").touch()
    for path, reason in {
        "folder.cast": "Is a directory",
        "missing/demo.cast": f"no directory {tmp_path / 'missing'}",
        "file/demo.cast": "file is not a directory",
    }.items():
        with pytest.raises(OutputError, match=reason):
            check(tmp_path / path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_not_writable_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        check(tmp_path / "demo.cast")


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "demo.cast"
    path.write_bytes(b"old")
    write_output(Output(path, lambda footage: footage.text.encode()), FOOTAGE)
    assert path.read_bytes() == b"new"
    assert [*tmp_path.iterdir()] == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "demo.cast"
    path.write_bytes(b"old")

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OutputError, match=r"cannot write .*: No space left on device"):
        write_output(Output(path, lambda footage: footage.text.encode()), FOOTAGE)
    assert path.read_bytes() == b"old"
