"""Syncing a log: written records reach the disk a second later, and nobody waits for that."""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sessions import PATIENCE

from engine.log.directory import RunDirectory
from engine.log.file import LogReader
from engine.log.records import End, Refused
from engine.log.writing.background_sync import BackgroundSync
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings


class Disk:
    """Replaces fsync: knows how much of each file it was given, and may hang or refuse."""

    def __init__(self) -> None:
        self.synced: dict[str, list[int]] = {}
        """Sizes of files, and 0 of directories, by name, at each sync."""
        self.threads: set[str] = set()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.is_waiting = threading.Event()
        self.error: int = 0

    def fsync(self, file: int) -> None:
        self.is_waiting.set()
        assert self.goes_on.wait(PATIENCE)
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        path = Path(f"/proc/self/fd/{file}").readlink()
        size = 0 if path.is_dir() else os.fstat(file).st_size
        self.synced.setdefault(path.name, []).append(size)
        self.threads.add(threading.current_thread().name)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    monkeypatch.setattr("engine.log.writing.background_sync.EVERY_SECONDS", 0.01)
    yield disk
    disk.goes_on.set()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_it_is_synced_while_it_grows_and_at_the_end_with_its_name(
    tmp_path: Path, disk: Disk
) -> None:
    log = LogWriter(tmp_path / "a.gdlog")
    log.append(Refused(detail="", command=1))
    until(lambda: disk.synced.get("a.gdlog") and disk.synced.get(tmp_path.name))
    assert threading.current_thread().name not in disk.threads
    log.append(End())
    log.close()
    assert disk.synced["a.gdlog"][-1] == (tmp_path / "a.gdlog").stat().st_size


def test_a_disk_that_hangs_keeps_nobody_waiting(tmp_path: Path, disk: Disk) -> None:
    disk.goes_on.clear()
    with LogWriter(tmp_path / "a.gdlog") as log:
        log.append(Refused(detail="", command=0))
        assert disk.is_waiting.wait(PATIENCE)
        for command in range(1, 100):
            log.append(Refused(detail="", command=command))
        assert len(list(LogReader(tmp_path / "a.gdlog"))) == 100
        disk.goes_on.set()


def test_what_the_disk_did_not_take_is_written_again(tmp_path: Path, disk: Disk) -> None:
    """On file systems that give out space late, the write succeeds and the sync fails."""
    path = tmp_path / "a.gdlog"
    with LogWriter(path) as log:
        log.append(Refused(detail="", command=1))
        until(lambda: disk.synced.get("a.gdlog"))
        kept = path.stat().st_size
        disk.error = errno.ENOSPC
        disk.is_waiting.clear()
        log.append(Refused(detail="", command=2))
        assert disk.is_waiting.wait(PATIENCE)
        with pytest.raises(OSError, match="No space left"):  # noqa: PT012 - sooner or later
            for command in range(3, 10**6):
                log.append(Refused(detail="", command=command))
        assert log.is_blocked
        whole = path.read_bytes()
        with path.open("r+b") as lost:  # what the disk did not take reads as nothing
            lost.seek(kept)
            lost.write(bytes(len(whole) - kept))
        disk.error = 0
        log.retry()
        assert not log.is_blocked
    commands = [record.command for record in LogReader(path) if isinstance(record, Refused)]
    assert commands == list(range(1, len(commands) + 1))
    assert len(commands) >= 3


class Pause(threading.Event):
    """An event whose waits with a limit, once it is over, end when `goes_on` says so."""

    is_over = threading.Event()
    goes_on = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        found = super().wait(timeout)
        if timeout is not None and not found:
            self.is_over.set()
            assert self.goes_on.wait(PATIENCE)
        return found


def test_a_log_that_ends_as_a_pause_ends_is_closed(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.log.writing.background_sync.threading.Event", Pause)
    with (tmp_path / "a.gdlog").open("wb") as file:
        sync = BackgroundSync(file.fileno(), tmp_path / "a.gdlog")
        sync.note(1)
        assert Pause.is_over.wait(PATIENCE)
        end = threading.Thread(target=sync.finish, daemon=True)
        end.start()
        end.join(0.2)  # it has said so by then, and waits
        Pause.goes_on.set()
        end.join(PATIENCE)
        assert not end.is_alive()


def test_a_new_run_is_on_the_disk_before_its_name_is(tmp_path: Path, disk: Disk) -> None:
    settings = RunSettings(variants=(Variant(name="a", settings=VariantSettings()),))
    RunDirectory.create(tmp_path / "run", settings, "1.0")
    *draft, run, above = disk.synced
    assert (run, above) == ("run", tmp_path.name)
    assert len(draft) == 1
    assert disk.synced[draft[0]] == [(tmp_path / "run" / "run.json").stat().st_size]


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_is_used_all_the_same(
    error: int, tmp_path: Path, disk: Disk
) -> None:
    disk.error = error
    with LogWriter(tmp_path / "a.gdlog") as log:
        log.append(End())
    assert len(list(LogReader(tmp_path / "a.gdlog"))) == 1
