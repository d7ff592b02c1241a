"""Only regular files are opened, by their own names, and what is made is its owner's alone."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from canary import PLANTS, CanaryTree

from engine.log.filesystem.safe_open import (
    UnsafeFileError,
    directory_opened,
    make_directory,
    opened,
    read_whole,
    safe_open,
    write_once,
)

WRITE = os.O_WRONLY | os.O_CREAT | os.O_APPEND
WAYS = {
    "to read": os.O_RDONLY,
    "to append": WRITE,
    "to continue": os.O_RDWR | os.O_CREAT,
    "anew": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
}


@pytest.fixture
def canary(tmp_path: Path) -> CanaryTree:
    return CanaryTree(tmp_path / "outside")


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("plant", PLANTS)
def test_nothing_but_a_regular_file_is_opened(
    plant: str, way: str, tmp_path: Path, canary: CanaryTree
) -> None:
    path = tmp_path / "planted"
    PLANTS[plant](path, canary.file)
    with pytest.raises(UnsafeFileError) as error:
        safe_open(path, WAYS[way])
    kind = "a symbolic link" if plant.startswith("a link") else plant
    assert error.value.strerror == f"is {kind}, not a file of a run"
    assert error.value.filename == str(path)
    canary.check()


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_in_the_place_of_a_new_file_stays(
    plant: str, tmp_path: Path, canary: CanaryTree
) -> None:
    path = tmp_path / "planted"
    PLANTS[plant](path, canary.file)
    with pytest.raises(FileExistsError):
        safe_open(path, WRITE | os.O_EXCL)
    with pytest.raises(FileExistsError):
        write_once(path, b"")
    assert [each.name for each in tmp_path.iterdir() if each.is_file() and each != path] == []
    canary.check()


def test_a_file_with_another_name_is_read_but_not_written(
    tmp_path: Path, canary: CanaryTree
) -> None:
    """A backup may hold the same file by a hard link; so may a directory from somebody else."""
    path = tmp_path / "planted"
    path.hardlink_to(canary.file)
    assert read_whole(path, 100) == b"years of work"
    for way in ("to append", "to continue"):
        with pytest.raises(UnsafeFileError, match="hard link"):
            safe_open(path, WAYS[way])
    canary.check()


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("way", ["to append", "to continue", "anew"])
def test_a_new_file_is_its_owners(way: str, tmp_path: Path) -> None:
    make_directory(tmp_path / "runs" / "run")
    path = tmp_path / "runs" / "run" / "file"
    os.close(safe_open(path, WAYS[way]))
    write_once(path.with_name("whole"), b"{}")
    assert [mode(each) for each in (path, path.with_name("whole"))] == [0o600, 0o600]
    assert [mode(each) for each in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    """Who shares a run with a group has said so by its mode."""
    path = tmp_path / "file"
    path.touch(0o640)
    path.chmod(0o640)
    os.close(safe_open(path, WRITE))
    assert mode(path) == 0o640


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        safe_open(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        safe_open(tmp_path / "none" / "none", WRITE)


def test_what_is_appended_follows_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text in (b"one", b"two"):
        with opened(path, WRITE) as file:
            file.write(text)
    with opened(path, os.O_RDWR) as file:
        assert file.read(3) == b"one"
        file.truncate(4)
    assert read_whole(path, 4) == b"onet"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(OSError, match="is larger than 1,000 bytes") as error:
        read_whole(path, 1000)
    assert error.value.errno == errno.EFBIG


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **folders: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for call in ("link", "rename"):
        monkeypatch.setattr(os, call, refuse)
    with pytest.raises(OSError, match="No space"):
        write_once(tmp_path / "whole", b"{}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_link_is_no_folder_of_a_run(tmp_path: Path, canary: CanaryTree) -> None:
    (tmp_path / "link").symlink_to(canary.folder)
    with pytest.raises(UnsafeFileError), directory_opened(tmp_path / "link"):
        pass
    with directory_opened(tmp_path / "link", is_followed=True) as folder:
        os.close(safe_open(canary.file.name, dir_fd=folder))
    with pytest.raises(UnsafeFileError), directory_opened(canary.file, is_followed=True):
        pass


def test_a_name_in_a_folder_stays_there_when_the_folder_is_replaced(
    tmp_path: Path, canary: CanaryTree
) -> None:
    (tmp_path / "run").mkdir()
    with directory_opened(tmp_path / "run") as folder:
        (tmp_path / "run").rename(tmp_path / "moved")
        (tmp_path / "run").symlink_to(canary.folder)
        os.close(safe_open("new", WRITE, dir_fd=folder))
    assert (tmp_path / "moved" / "new").exists()
    canary.check()
