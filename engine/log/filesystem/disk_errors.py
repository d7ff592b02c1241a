"""The actual reason why a file cannot be written, and what the user can do about it."""

import errno
import os
import resource
import sys
from pathlib import Path
from typing import Final

_REMEDIES: Final = {
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "free some of your disk quota",
    errno.EROFS: "make its file system writable again",
    errno.EACCES: "give back the permission to write it",
    errno.EPERM: "give back the permission to write it",
    errno.EIO: "check the disk, which may be failing",
}
_MIB: Final = 1 << 20


def reason(error: OSError, path: Path) -> str:
    """The reason in a few words, e.g. "No space left on device"."""
    if _lacks_inodes(error, path):
        return "no inodes left: its file system cannot hold any more files"
    if error.errno == errno.EFBIG and (limit := _largest_file()) is not None:
        return f"the limit on the size of a file is reached (ulimit -f, {limit / _MIB:,.1f} MiB)"
    return error.strerror or str(error)


def remedy(error: OSError, path: Path) -> str:
    """The user's way to fix it, as an imperative, e.g. "free some disk space"."""
    if _lacks_inodes(error, path):
        return "remove some files there"
    if error.errno == errno.EFBIG:
        return _larger_files()
    return _REMEDIES.get(error.errno or 0, "fix this")


def cannot_write(error: OSError, path: Path) -> str:
    """A sentence with the file, the reason and the remedy, for a caller that gives up."""
    return f"cannot write {path}: {reason(error, path)}; {remedy(error, path)}"


def _lacks_inodes(error: OSError, path: Path) -> bool:
    """True if the file system has free space but no free inode."""
    if error.errno != errno.ENOSPC:
        return False
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return False
    return found.f_files > 0 and found.f_ffree == 0 and found.f_bavail > 0


def _largest_file() -> int | None:
    """The maximum file size in bytes that `ulimit -f` sets for this process; None if unlimited."""
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if limit == resource.RLIM_INFINITY else limit


def _larger_files() -> str:
    if _largest_file() is None:
        return "use a file system that takes larger files, with --run-dir"
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if sys.platform == "linux" and most == resource.RLIM_INFINITY:
        return f"lift it with: prlimit --pid {os.getpid()} --fsize=unlimited:unlimited"
    return "begin again under a higher one"
