"""Things with a log's name that are none, or cannot be read: told at once, never waited for."""

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from plain_chunks import plain_chunk

from engine.log.commands import Pause
from engine.log.directory import RunDirectory
from engine.log.file import LogDamagedError, LogReader
from engine.log.follow import Follower
from engine.log.records import CommandSent, Record
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings


def bind(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(os.path.relpath(path))


NO_FILES: dict[str, Callable[[Path], None]] = {
    "directory": Path.mkdir,
    "FIFO": os.mkfifo,
    "socket": bind,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link to a log": lambda path: path.symlink_to(path.with_name("other.gdlog")),
    "link to itself": lambda path: path.symlink_to(path),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in "AB")
    return RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")


def write(path: Path, *records: Record) -> None:
    with LogWriter(path) as log:
        for record in records:
            log.append(record)


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_one_log_that_is_no_file_is_one_variants_news(
    run: RunDirectory, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.path)  # a socket's name is short
    write(run.path / "other.gdlog", plain_chunk(1, 3))
    write(run.variant_log("B"), plain_chunk(1, 3))
    make(run.variant_log("A"))
    follower = Follower(run)
    assert [name for name, _ in follower.read()] == ["B"]
    assert [error.path for error in follower.damage] == [run.variant_log("A")]
    assert list(follower.read()) == []
    assert len(follower.damage) == 1, "it is told once"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.ELOOP])
def test_a_log_that_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "a.gdlog"
    write(path, plain_chunk(1, 3))

    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LogDamagedError, match=r"cannot be read.*nothing of it was read"):
        list(LogReader(path))


def test_a_disk_that_fails_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.gdlog"
    write(path, plain_chunk(1, 3))
    reader = LogReader(path)
    assert len(list(reader)) == 1
    write(path, plain_chunk(4, 3))

    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", fail)
    with pytest.raises(LogDamagedError, match="every record before was read") as told:
        list(reader)
    assert told.value.record == 2


def test_too_many_open_files_say_nothing_of_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.gdlog"
    write(path, plain_chunk(1, 3))
    reader = LogReader(path)

    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(OSError, match="open files"):
            list(reader)
    assert len(list(reader)) == 1


def test_a_session_that_tells_of_a_variant_that_there_is_not(run: RunDirectory) -> None:
    known = CommandSent(variant="A", command=Pause(id=1))
    unknown = CommandSent(variant="C\x1b", command=Pause(id=2))
    write(run.session_log, known, unknown, known)
    follower = Follower(run)
    assert list(follower.read()) == [("A", known)]
    assert [error.path for error in follower.damage] == [run.session_log]
    assert "no variant" in str(follower.damage[0])
    assert str(follower.damage[0]).isprintable()
