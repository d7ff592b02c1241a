"""Private directories: nobody else enters, nobody guesses the name, and none is left."""

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from canary import CanaryTree

from engine.log.filesystem.private import PrivateDirectory, remove_private


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that no other program uses."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_it_is_its_users_alone_and_no_two_are_alike(umask: int, root: Path) -> None:
    before = os.umask(umask)
    try:
        one, other = PrivateDirectory(), PrivateDirectory()
    finally:
        os.umask(before)
    assert [each.path.stat().st_mode & 0o777 for each in (one, other)] == [0o700, 0o700]
    assert one.path.parent == other.path.parent == root
    assert one.path != other.path


def test_it_is_removed_once_with_all_that_is_in_it(root: Path, tmp_path: Path) -> None:
    canary = CanaryTree(tmp_path / "outside")
    made = PrivateDirectory()
    (made.path / "train.safetensors").touch()
    (made.path / "link").symlink_to(canary.folder)
    made.remove()
    made.remove()
    assert list(root.iterdir()) == []
    canary.check()


SCRIPT = """
import os, sys, tempfile
tempfile.tempdir = sys.argv[1]
from engine.log.filesystem.private import PrivateDirectory
made = PrivateDirectory()
(made.path / "train.safetensors").touch()
assert made.path.exists()
"""
ENDS = {
    "by itself": "",
    "by an error": "1 / 0",
    "by exit": "sys.exit(3)",
    "by Ctrl+C": "import signal; os.kill(os.getpid(), signal.SIGINT)",
}


def run(script: str, root: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("end", ENDS)
def test_however_its_maker_ends_nothing_is_left(end: str, root: Path) -> None:
    run(SCRIPT + ENDS[end], root)
    assert list(root.iterdir()) == []


def test_one_whose_maker_was_killed_is_removed_by_the_next(root: Path) -> None:
    run(SCRIPT + "os.kill(os.getpid(), 9)", root)
    (left,) = root.iterdir()
    living, made = PrivateDirectory(), PrivateDirectory()
    assert not left.exists()
    assert living.path.exists()
    assert {path.name for path in root.iterdir()} == {living.path.name, made.path.name}


def test_what_only_looks_like_one_stays(root: Path, tmp_path: Path) -> None:
    """Another user's, a link, one without a lock, one that others may enter."""
    canary = CanaryTree(tmp_path / "outside")
    (root / "gdtui-link").symlink_to(canary.folder)
    (root / "gdtui-file").touch()
    for name, mode in (("gdtui-open", 0o755), ("gdtui-being-made", 0o700), ("other", 0o700)):
        (root / name).mkdir()
        (root / name).chmod(mode)
    (root / "gdtui-open" / "owner").touch()
    (root / "other" / "owner").touch()
    (root / "gdtui-fifo").mkdir(0o700)
    os.mkfifo(root / "gdtui-fifo" / "owner")
    before = {path.name for path in root.iterdir()}
    PrivateDirectory().remove()
    assert {path.name for path in root.iterdir()} == before
    canary.check()


def test_a_worker_removes_nothing_else(root: Path, tmp_path: Path) -> None:
    """An empty path, above all: that is where the user is."""
    canary = CanaryTree(tmp_path / "outside")
    (root / "gdtui-link").symlink_to(canary.folder)
    for path in ("", ".", str(tmp_path), str(root / "gdtui-link"), str(root / "gdtui-none")):
        remove_private(path)
    assert (root / "gdtui-link").is_symlink()
    canary.check()
    made = PrivateDirectory()
    remove_private(str(made.path))
    assert not made.path.exists()


def test_its_lock_is_held(root: Path) -> None:
    made = PrivateDirectory()
    with (made.path / "owner").open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    made.remove()
