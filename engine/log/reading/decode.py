"""Decodes a run's files; the only place where their content is checked and cleaned.

The record classes declare the ranges of single fields; `Sequence` checks each record against the
earlier ones.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec

from engine.log.format import is_known, is_newer, refusal
from engine.log.records import AnyRecord, Chunk, Evaluation
from engine.settings.text import clean, cleaned

MOST_BYTES: Final = 16 << 20
"""Size limit of a record: four million losses. A worker writes a few thousand at a time."""

_decoder: Final = msgspec.msgpack.Decoder(AnyRecord)


DocumentT = TypeVar("DocumentT", bound=msgspec.Struct)


class RecordError(ValueError):
    """Bytes with a correct checksum that are not a valid record; the message says why."""


class DocumentError(ValueError):
    """A JSON file with invalid content; the message says what is wrong."""


class NewerDocumentError(DocumentError):
    """A JSON file of a format that only a later gdtui can read."""


class _Tagged(msgspec.Struct):
    """Any record, reduced to its kind."""

    type: str


_tag_decoder: Final = msgspec.msgpack.Decoder(_Tagged)
_KINDS: Final = frozenset(kind.__struct_config__.tag for kind in AnyRecord.__args__)


class _Formatted(msgspec.Struct):
    """A file of any format, reduced to its format and version."""

    format: int
    version: Any = None


def decode_document(data: bytes, kind: type[DocumentT]) -> DocumentT:
    """The content of a JSON file, its text cleaned; DocumentError if it is invalid."""
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


def decode_packed(data: bytes, kind: type[DocumentT]) -> DocumentT:
    """The content of a msgpack file, its text cleaned; DocumentError if it is invalid."""
    try:
        return cleaned(msgspec.msgpack.decode(data, type=kind))
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise DocumentError(clean(str(error))) from None


def decode_record(payload: bytes) -> AnyRecord | None:
    """The record, its text cleaned; None for a kind of record that a later version added.

    Raises RecordError for anything else.
    """
    try:
        record: AnyRecord = _decoder.decode(payload)
        return record if type(record) is Chunk else cleaned(record)  # chunks have no text
    except RecursionError:
        raise RecordError("it is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:  # bad UTF-8 is a UnicodeDecodeError
        if _is_of_later_kind(payload):
            return None
        raise RecordError(clean(str(error))) from None


def decode_records(
    payloads: Iterable[bytes],
) -> "tuple[list[AnyRecord | None], RecordError | None]":
    """The records up to the first invalid one, as from `decode_record`, and that one's error."""
    records: list[AnyRecord | None] = []
    decode, add = _decoder.decode, records.append
    for payload in payloads:
        try:
            record: AnyRecord = decode(payload)
        except (msgspec.DecodeError, ValueError, RecursionError):
            pass
        else:
            if type(record) is Chunk or (type(record) is Evaluation and not record.metrics):
                add(record)  # without text
                continue
        try:
            add(decode_record(payload))
        except RecordError as error:
            return records, error
    return records, None


def _is_of_later_kind(payload: bytes) -> bool:
    try:
        return _tag_decoder.decode(payload).type not in _KINDS
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
