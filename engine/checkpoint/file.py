"""The file of a checkpoint: its format, how it is written whole or not at all, and read strictly.

A file is a prefix (magic, lengths of header and tensors, CRC-32 of these), the header (msgpack),
its CRC-32, the tensors (safetensors) and their CRC-32; integers are little-endian. Nothing else
belongs to it, so that any flipped bit and any cut is found. Reading never runs code of a file.
"""

import contextlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

import msgspec
from msgspec.structs import replace
from safetensors import SafetensorError
from safetensors.torch import load

from engine.checkpoint.checkpoint import Checkpoint, Header
from engine.checkpoint.tensors import parts_of
from engine.log.filesystem.safe_open import (
    UnsafeFileError,
    directory_opened,
    opened,
)
from engine.log.filesystem.sync import sync_file
from engine.settings.text import clean, cleaned

_NAME: Final = b"gdckpt\x00"
_VERSION: Final = 1
MAGIC: Final = _NAME + bytes([_VERSION])
_LENGTHS: Final = struct.Struct("<QQ")
_CHECK: Final = struct.Struct("<I")
_PREFIX: Final = len(MAGIC) + _LENGTHS.size + _CHECK.size
MOST_HEADER: Final = 64 << 20
"""Size limit of a header."""
_PART: Final = 64 << 20
"""Bytes per write; a signal or another thread need not wait for more."""
_PIECE: Final = 1 << 20
"""Bytes read at once to check a sum."""
_BEFORE_TENSORS: Final = 3
"""Parts before the tensors: prefix, header and its checksum."""
DRAFT: Final = ".draft"
"""Suffix of a file that is still being written."""

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Header)


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message names the file and the reason."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(clean(f"{path}: {reason}"))
        self.path = path
        self.reason = clean(reason)


def write_checkpoint(
    path: Path, checkpoint: Checkpoint, make_room: Callable[[int], None] = lambda size: None
) -> int:
    """Write the file so that it is at `path` whole or not at all, even after a power cut.

    Replaces an older file. `make_room` is called with its size before anything is written. Returns
    its size in bytes; raises OSError.
    """
    parts = _encoded(checkpoint)
    size = sum(map(len, parts)) + _CHECK.size
    make_room(size)
    draft = f"{path.name}{DRAFT}"
    with directory_opened(path.parent, is_followed=True) as folder:
        with contextlib.suppress(FileNotFoundError):  # of a writer that was killed
            os.unlink(draft, dir_fd=folder)
        try:
            with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=folder) as file:
                check = 0
                for number, part in enumerate(parts):
                    for start in range(0, len(part), _PART):
                        piece = part[start : start + _PART]
                        file.write(piece)
                        check = crc32(piece, check) if number >= _BEFORE_TENSORS else 0
                file.write(_CHECK.pack(check))
                file.flush()
                sync_file(file.fileno())  # its name must not reach the disk before its content
            os.rename(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft, dir_fd=folder)
            raise
        sync_file(folder)
    return size


def _encoded(checkpoint: Checkpoint) -> list[memoryview]:
    """The parts of a file but the last, which is the checksum of the tensors."""
    header = _encoder.encode(checkpoint.header)
    tensors = parts_of(checkpoint.tensors)
    lengths = MAGIC + _LENGTHS.pack(len(header), sum(map(len, tensors)))
    before = lengths + _CHECK.pack(crc32(lengths)), header, _CHECK.pack(crc32(header))
    return [*(memoryview(part) for part in before), *tensors]


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in this file; CheckpointError for anything but a whole, sound one.

    No memory is taken for the content before its checksums have been found right.
    """
    try:
        with opened(path) as file:
            return _read(file)
    except _DamagedError as error:
        raise CheckpointError(path, str(error)) from None
    except UnsafeFileError as error:
        raise CheckpointError(path, error.strerror) from None
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or "too little memory"
        raise CheckpointError(path, f"cannot be read: {reason}") from None


class _DamagedError(Exception):
    pass


def _read(file: BinaryIO) -> Checkpoint:
    size = os.fstat(file.fileno()).st_size
    lengths = _lengths(file.read(_PREFIX), size)
    if size > _most_read():
        raise _DamagedError(f"takes {size:,} bytes, more than half the memory of this machine")
    for length in lengths:
        _check_sum(file, length)
    file.seek(_PREFIX)
    header = _header(file.read(lengths[0]))
    if header.bytes > lengths[1]:
        raise _DamagedError("has a header of other tensors")
    file.seek(_CHECK.size, os.SEEK_CUR)
    try:
        tensors = load(file.read(lengths[1]))
    except (SafetensorError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise _DamagedError(f"has tensors that cannot be right ({error})") from None
    return Checkpoint(header, tensors)


def _header(data: bytes) -> Header:
    try:
        header = _decoder.decode(data)
        texts = {"device": clean(header.device), "torch": clean(header.torch)}
        return replace(header, settings=cleaned(header.settings), **texts)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _DamagedError(f"has a header that cannot be right ({reason})") from None


def _lengths(prefix: bytes, size: int) -> tuple[int, int]:
    """The lengths of header and tensors in a file of `size` bytes that begins so."""
    if len(prefix) < _PREFIX:
        raise _DamagedError("is cut short")
    if prefix.startswith(_NAME) and prefix[len(_NAME)] > _VERSION and _is_sound(prefix):
        raise _DamagedError("was written by a later gdtui. Upgrade it: pip install -U gdtui")
    if not prefix.startswith(MAGIC):
        raise _DamagedError("is not a gdtui checkpoint, or is damaged")
    if not _is_sound(prefix):
        raise _DamagedError("is damaged")
    header, tensors = _LENGTHS.unpack_from(prefix, len(MAGIC))
    if header > MOST_HEADER:
        raise _DamagedError(f"has a header of {header:,} bytes")
    if (expected := _PREFIX + header + tensors + 2 * _CHECK.size) != size:
        raise _DamagedError("is cut short" if size < expected else "is damaged")
    return header, tensors


def _check_sum(file: BinaryIO, length: int) -> None:
    """Read so many bytes and the checksum that follows; they must agree."""
    check = 0
    while length and (piece := file.read(min(length, _PIECE))):
        check, length = crc32(piece, check), length - len(piece)
    found = file.read(_CHECK.size)
    if length or len(found) < _CHECK.size or check != _CHECK.unpack(found)[0]:
        raise _DamagedError("is damaged")


def _is_sound(prefix: bytes) -> bool:
    check: int = _CHECK.unpack(prefix[-_CHECK.size :])[0]
    return crc32(prefix[: -_CHECK.size]) == check


def _most_read() -> int:
    """Largest number of bytes read: half the memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
