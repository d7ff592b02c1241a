"""Opens the files of a run: only regular files, never links; new files are private.

A run directory may come from another person. A link in it can lead out of it, reading a FIFO can
block forever, and a device has no end. None of them is a file of a run; the error names the kind.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final, cast

from engine.log.filesystem.sync import sync_file

FILE_MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700

_ALWAYS: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""O_NONBLOCK since opening a FIFO waits for its other end; it does not affect regular files."""
_WRITING: Final = os.O_WRONLY | os.O_RDWR
_KINDS: Final = {
    stat.S_IFREG: "a file",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class UnsafeFileError(OSError):
    """A path that is not a regular file, or a file with a second name; `strerror` says which."""

    strerror: str


def safe_open(
    path: str | os.PathLike[str], flags: int = os.O_RDONLY, *, dir_fd: int | None = None
) -> int:
    """Open a regular file with these flags of os.open; returns its descriptor.

    Follows no link in the last part of `path`, which may be relative to the directory `dir_fd`.
    With O_CREAT, a new file has mode 0600 whatever the umask; an existing file keeps its mode.
    Raises UnsafeFileError for anything but a regular file, and when opening a file with a second
    name (a hard link) for writing; otherwise OSError as os.open does.
    """
    if flags & os.O_CREAT and not flags & os.O_EXCL:
        with contextlib.suppress(FileExistsError):
            return safe_open(path, flags | os.O_EXCL, dir_fd=dir_fd)
        flags &= ~os.O_CREAT
    try:
        file = os.open(path, flags | _ALWAYS, FILE_MODE, dir_fd=dir_fd)
    except FileExistsError:
        raise
    except OSError as error:
        raise _reason(path, dir_fd) or error from None
    try:
        if (unsafe := _judge(os.fstat(file), path, is_written=bool(flags & _WRITING))) is not None:
            raise unsafe
        if flags & os.O_CREAT:
            _make_private(file)
    except BaseException:
        os.close(file)
        raise
    return file


def _reason(path: str | os.PathLike[str], dir_fd: int | None) -> UnsafeFileError | None:
    """The error for a path that could not be opened because it is not a regular file, or None."""
    try:
        found = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except OSError:
        return None
    return _judge(found, path, is_written=False)


def kind_of(found: os.stat_result) -> str:
    """The kind of a file, for example "a symbolic link"."""
    return _KINDS.get(stat.S_IFMT(found.st_mode), "something else")


def _judge(
    found: os.stat_result, path: str | os.PathLike[str], *, is_written: bool
) -> UnsafeFileError | None:
    """The error for an unsafe file; None for a safe one."""
    if not stat.S_ISREG(found.st_mode):
        what = f"is {kind_of(found)}, not a file of a run"
    elif is_written and found.st_nlink > 1:
        what = "has a second name elsewhere (a hard link), and is not written to"
    else:
        return None
    return UnsafeFileError(errno.EINVAL, what, os.fspath(path))


def _make_private(file: int) -> None:
    """Give a new file its full mode, which a umask may have reduced."""
    if stat.S_IMODE(os.fstat(file).st_mode) != FILE_MODE:
        with contextlib.suppress(PermissionError):  # file systems without modes
            os.fchmod(file, FILE_MODE)


@contextlib.contextmanager
def opened(
    path: str | os.PathLike[str], flags: int = os.O_RDONLY, *, dir_fd: int | None = None
) -> Iterator[BinaryIO]:
    """Open a file as `safe_open` does, as a file object that is closed at the end of the block."""
    kind = flags & _WRITING
    mode = "r+b" if kind == os.O_RDWR else "wb" if kind == os.O_WRONLY else "rb"
    with os.fdopen(safe_open(path, flags, dir_fd=dir_fd), mode) as file:
        yield cast(BinaryIO, file)


@contextlib.contextmanager
def output_opened(path: str | os.PathLike[str]) -> Iterator[int]:
    """The descriptor of a file to which processes append their output; opened by `safe_open`."""
    file = safe_open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        yield file
    finally:
        os.close(file)


def read_whole(path: str | os.PathLike[str], most: int) -> bytes:
    """The content of a regular file of at most `most` bytes; OSError (EFBIG) if it is larger."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"is larger than {most:,} bytes", os.fspath(path))
        return file.read(size)


def write_once(path: Path, data: bytes) -> None:
    """Create a file so that readers only ever see it whole; FileExistsError if it exists.

    It is written under an unguessable name and then gets its final name in one step.
    """
    draft = draft_name(path.name)
    with directory_opened(path.parent, is_followed=True) as folder:
        try:
            with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=folder) as file:
                file.write(data)
                file.flush()
                sync_file(file.fileno())  # its name must not reach the disk before its content
            _name(draft, path.name, folder)
            sync_file(folder)
        finally:
            _unlink(draft, folder)


def replace_whole(path: Path, data: bytes) -> None:
    """Replace a file so that readers see either the whole old file or the whole new one."""
    draft = draft_name(path.name)
    with directory_opened(path.parent, is_followed=True) as folder:
        write_all({draft: data}, folder)
        try:
            os.rename(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            _unlink(draft, folder)
            raise


def write_all(files: Mapping[str, bytes], folder: int) -> None:
    """Write new files into an open directory; if one fails, remove them all and raise OSError."""
    with contextlib.ExitStack() as if_failed:
        for name, data in files.items():
            with opened(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=folder) as file:
                if_failed.callback(_unlink, name, folder)
                file.write(data)
        if_failed.pop_all()


def _unlink(name: str, folder: int) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def _name(draft: str, name: str, folder: int) -> None:
    """Give the draft its final name in the directory, without replacing anything."""
    try:
        os.link(draft, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if is_present(name, dir_fd=folder):
            raise FileExistsError(errno.EEXIST, "exists already", name) from None
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)


def draft_name(name: str) -> str:
    """A unique name for a file that is still being written."""
    return f".{name}.{os.urandom(8).hex()}"


def is_present(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> bool:
    """True if something has this name, even a dangling link."""
    try:
        os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # nothing can have it
            return False
        raise
    return True


def make_directory(path: Path, *, with_parents: bool = True) -> None:
    """Create a directory, and its missing parents, with mode 0700, whatever the umask.

    FileExistsError if it exists; FileNotFoundError if a parent is missing that is not to be made.
    """
    try:
        path.mkdir(DIRECTORY_MODE)
    except FileNotFoundError:
        if path.parent == path or not with_parents:
            raise
        with contextlib.suppress(FileExistsError):  # another process created it
            make_directory(path.parent)
        path.mkdir(DIRECTORY_MODE)
    if stat.S_IMODE(path.lstat().st_mode) != DIRECTORY_MODE:
        with contextlib.suppress(PermissionError):  # file systems without modes
            path.chmod(DIRECTORY_MODE)


@contextlib.contextmanager
def directory_made(path: Path) -> Iterator[None]:
    """Create the directory if it is missing; remove it again, if it is empty, if the block fails.

    An existing one keeps its mode, and stays. Raises OSError.
    """
    is_new = not path.is_dir()
    if is_new:
        make_directory(path)
    try:
        yield
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


@contextlib.contextmanager
def directory_opened(
    path: str | os.PathLike[str], *, dir_fd: int | None = None, is_followed: bool = False
) -> Iterator[int]:
    """A directory's descriptor, to look up names in it. `is_followed` permits a link to it.

    Raises UnsafeFileError for anything but a directory.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if is_followed else os.O_NOFOLLOW)
    try:
        folder = os.open(path, flags, dir_fd=dir_fd)
    except NotADirectoryError:
        what = "is not a directory" if is_followed else "is a link or a file, not a directory"
        raise UnsafeFileError(errno.ENOTDIR, what, os.fspath(path)) from None
    try:
        yield folder
    finally:
        os.close(folder)
