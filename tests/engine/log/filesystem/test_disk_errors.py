"""Files that cannot be written: the true reason, and what helps against it."""

import errno
import os
import resource
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.log.filesystem.disk_errors import cannot_write, reason, remedy

PATH = Path("/somewhere/a.gdlog")


def failed(code: int) -> OSError:
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("code", "what", "help_"),
    [
        (errno.ENOSPC, "No space left on device", "free some disk space"),
        (errno.EDQUOT, "Disk quota exceeded", "free some of your disk quota"),
        (errno.EROFS, "Read-only file system", "make its file system writable again"),
        (errno.EIO, "Input/output error", "check the disk, which may be failing"),
        (errno.EACCES, "Permission denied", "give back the permission to write it"),
        (errno.ENOTCONN, os.strerror(errno.ENOTCONN), "fix this"),
    ],
)
def test_each_error_has_its_own_remedy(code: int, what: str, help_: str) -> None:
    error = failed(code)
    assert (reason(error, PATH), remedy(error, PATH)) == (what, help_)
    assert cannot_write(error, PATH) == f"cannot write {PATH}: {what}; {help_}"


@pytest.mark.parametrize(
    ("files", "free_files", "free_blocks", "is_told"),
    [(1000, 0, 50, True), (1000, 3, 0, False), (1000, 0, 0, False), (0, 0, 50, False)],
)
def test_no_more_files_is_not_no_more_space(
    files: int, free_files: int, free_blocks: int, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not on file systems that know no inodes, which count none."""
    found = SimpleNamespace(f_files=files, f_ffree=free_files, f_bavail=free_blocks)
    monkeypatch.setattr(os, "statvfs", lambda _: found)
    error = failed(errno.ENOSPC)
    assert ("no inodes left" in reason(error, PATH)) == is_told
    assert (remedy(error, PATH) == "remove some files there") == is_told


UNLIMITED = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limits", "what", "help_"),
    [
        ((3 << 20, UNLIMITED), "(ulimit -f, 3.0 MiB)", "prlimit --pid {pid} --fsize="),
        ((3 << 20, 3 << 20), "(ulimit -f, 3.0 MiB)", "begin again under a higher one"),
        ((UNLIMITED, UNLIMITED), "File too large", "use a file system that takes larger files"),
    ],
)
def test_a_limit_on_files_is_told_apart_from_a_file_system_s(
    limits: tuple[int, int], what: str, help_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr("sys.platform", "linux")
    error = failed(errno.EFBIG)
    assert what in reason(error, PATH)
    assert help_.format(pid=os.getpid()) in remedy(error, PATH)
