"""Splits bytes of a log into frames; the format is described in engine/log/file.py."""

import struct
from typing import Final, NamedTuple
from zlib import crc32

from engine.log.reading.decode import MOST_BYTES

LENGTH: Final = struct.Struct("<II")
CHECK: Final = struct.Struct("<I")
OVERHEAD: Final = LENGTH.size + CHECK.size
"""Bytes of a frame without its payload."""


class Frames(NamedTuple):
    """The whole frames at the start of some bytes."""

    payloads: list[bytes]
    wanted: int
    """Bytes up to the end of the frame that comes after them, as far as known."""
    trouble: str
    """Why that frame is damaged; "" if it is not, or not whole."""


def split(data: bytes) -> Frames:
    """The whole frames that `data` begins with."""
    payloads: list[bytes] = []
    add, unpack, check_at, crc = payloads.append, LENGTH.unpack_from, CHECK.unpack_from, crc32
    place, last = 0, len(data) - OVERHEAD
    while place <= last:
        length, check = unpack(data, place)
        start = place + 8
        stop = start + length
        if crc(data[place : place + 4]) != check or length > MOST_BYTES or stop > len(data) - 4:
            break
        payload = data[start:stop]
        if crc(payload) != check_at(data, stop)[0]:
            break
        add(payload)
        place = stop + 4
    return _ended(payloads, data, place)


def _ended(payloads: list[bytes], data: bytes, place: int) -> Frames:
    """The frames before this place, and why the next one is not among them."""
    start = place + LENGTH.size
    if start > len(data):
        return Frames(payloads, start, "")
    length, check = LENGTH.unpack_from(data, place)
    if crc32(data[place : place + 4]) != check:
        return Frames(payloads, place, "is damaged")
    if length > MOST_BYTES:
        return Frames(payloads, place, f"holds a record of {length:,} bytes")
    stop = start + length + CHECK.size
    return Frames(payloads, stop, "is damaged" if stop <= len(data) else "")
