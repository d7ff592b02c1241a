"""Logs with valid checksums and any content: what a writer of ours would never write."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from engine.log.file import MAGIC


def framed(payload: bytes) -> bytes:
    """The payload as a record stands in a log."""
    length = len(payload).to_bytes(4, "little")
    return b"".join(
        (length, crc32(length).to_bytes(4, "little"), payload, crc32(payload).to_bytes(4, "little"))
    )


def forge(path: Path, contents: Iterable[Any], *, tail: bytes = b"") -> None:
    """Write a log of these records, documents or payloads; then `tail`."""
    path.write_bytes(MAGIC + b"".join(framed(encoded(each)) for each in contents) + tail)


def encoded(content: Any) -> bytes:
    """Bytes as they are; anything else as msgpack."""
    return content if isinstance(content, bytes) else msgspec.msgpack.encode(content)


def document(record: msgspec.Struct, **different: Any) -> dict[str, Any]:
    """The record as a document, with other values in it, whether or not they are allowed."""
    return {**msgspec.msgpack.decode(msgspec.msgpack.encode(record)), **different}


def nested(depth: int) -> bytes:
    """A record of a known kind with lists in lists."""
    head = b"\x82" + msgspec.msgpack.encode("type") + msgspec.msgpack.encode("End")
    return head + msgspec.msgpack.encode("x") + b"\x91" * depth + b"\x01"
