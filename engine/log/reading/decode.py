"""Bytes of a run's files into values: the one border at which they are checked and cleaned.

The ranges of single fields stand with the records; a record's place among others is judged by
`Sequence`.
"""

from typing import Any, Final, TypeVar

import msgspec

from engine.log.format import is_known, is_newer, refusal
from engine.log.records import AnyRecord, Chunk
from engine.settings.text import clean, cleaned

MOST_BYTES: Final = 16 << 20
"""Bytes of a record, at most: four million losses. A worker writes a few thousand at once."""

_decoder: Final = msgspec.msgpack.Decoder(AnyRecord)


DocumentT = TypeVar("DocumentT", bound=msgspec.Struct)


class RecordError(ValueError):
    """Bytes with the right checksum that are no record; the message says why."""


class DocumentError(ValueError):
    """A JSON file that holds something else than it should; the message says what."""


class NewerDocumentError(DocumentError):
    """A JSON file of a format that only a later gdtui can read."""


class _Tagged(msgspec.Struct):
    """Any record, as far as its kind."""

    type: str


_tag_decoder: Final = msgspec.msgpack.Decoder(_Tagged)
_KINDS: Final = frozenset(kind.__struct_config__.tag for kind in AnyRecord.__args__)


class _Formatted(msgspec.Struct):
    """A file of any format, as far as it says which."""

    format: int
    version: Any = None


def decode_document(data: bytes, kind: type[DocumentT]) -> DocumentT:
    """The content of a JSON file, its text cleaned; DocumentError for any other content."""
    try:
        found = msgspec.json.decode(data, type=_Formatted)
        if is_newer(found.format):
            raise NewerDocumentError(refusal(found.format, found.version))
        if not is_known(found.format):
            raise DocumentError(f"its format is {str(found.format)[:20]!r}")
        return cleaned(msgspec.json.decode(data, type=kind))
    except DocumentError:
        raise
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise DocumentError(clean(str(error))) from None


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
