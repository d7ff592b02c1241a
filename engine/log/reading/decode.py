"""A record's bytes into the record: the one border at which what logs say is checked and cleaned.

The ranges of single fields stand with the records; a record's place among others is judged by
`Sequence`.
"""

from typing import Final

import msgspec

from engine.log.records import AnyRecord, Chunk
from engine.settings.text import clean, cleaned

MOST_BYTES: Final = 16 << 20
"""Bytes of a record, at most: four million losses. A worker writes a few thousand at once."""

_decoder: Final = msgspec.msgpack.Decoder(AnyRecord)


class RecordError(ValueError):
    """Bytes with the right checksum that are no record; the message says why."""


class _Tagged(msgspec.Struct):
    """Any record, as far as its kind."""

    type: str


_tag_decoder: Final = msgspec.msgpack.Decoder(_Tagged)
_KINDS: Final = frozenset(kind.__struct_config__.tag for kind in AnyRecord.__args__)


def decode_record(payload: bytes) -> AnyRecord | None:
    """The record, its text cleaned; None for one of a kind that a later version has added.

    RecordError for anything else.
    """
    try:
        record: AnyRecord = _decoder.decode(payload)
        return record if type(record) is Chunk else cleaned(record)  # it has no text
    except RecursionError:
        raise RecordError("it is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:  # bad UTF-8 is a UnicodeDecodeError
        if _is_of_later_kind(payload):
            return None
        raise RecordError(clean(str(error))) from None


def _is_of_later_kind(payload: bytes) -> bool:
    try:
        return _tag_decoder.decode(payload).type not in _KINDS
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
