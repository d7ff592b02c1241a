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
    place, end = 0, len(data)
    unpack, check_at = LENGTH.unpack_from, CHECK.unpack_from
    while (start := place + LENGTH.size) <= end:
        length, check = unpack(data, place)
        if crc32(data[place : place + 4]) != check:
            return Frames(payloads, place, "is damaged")
        if length > MOST_BYTES:
            return Frames(payloads, place, f"holds a record of {length:,} bytes")
        stop = start + length
        place_after = stop + CHECK.size
        if place_after > end:
            return Frames(payloads, place_after, "")
        payload = data[start:stop]
        if crc32(payload) != check_at(data, stop)[0]:
            return Frames(payloads, place, "is damaged")
        payloads.append(payload)
        place = place_after
    return Frames(payloads, place + LENGTH.size, "")
