"""Records out of bytes: those of later versions are skipped, and nothing else gets through."""

from typing import Any

import msgspec
import pytest
from forged import document, encoded, nested
from msgspec.inspect import BoolType, BytesType, FloatType, IntType
from plain_chunks import plain_chunk

from engine.log.commands import SetPace
from engine.log.reading.decode import RecordError, decode_record
from engine.log.records import (
    Changed,
    Chunk,
    CommandSent,
    End,
    Evaluation,
    Measured,
    Planned,
    Started,
    State,
    StateChanged,
)
from engine.settings import VariantSettings

CHUNK = plain_chunk(1, 3)
STARTED = Started(
    generation=1, settings=VariantSettings(), n=10, model="m", parameters=1, device="cpu",
    threads=1, epochs=2, pace=None,
)  # fmt: skip
EVALUATION = Evaluation(
    generation=1, epoch=1, batches=3, updates=3, samples=3, seconds=1.0, full_loss=0.5
)
CHANGED = Changed(
    generation=1, settings=VariantSettings(), epoch=1, batch=1, update=1, samples=0, seconds=0.0
)
MEASURED = Measured(
    generation=1, epoch=1, updates=1, samples=1, seconds=0.1, effective_batch=1, lr=0.1,
    edge=20.0, cost=0.1,
)  # fmt: skip
PLANNED = Planned(epochs=3, pace=1.0, command=2)


@pytest.mark.parametrize("record", [CHUNK, STARTED, EVALUATION, CHANGED, MEASURED, PLANNED, End()])
def test_what_was_encoded_is_decoded(record: msgspec.Struct) -> None:
    assert decode_record(encoded(record)) == record


@pytest.mark.parametrize(
    ("record", "field", "values"),
    [
        (CHUNK, "generation", [0, -1, 2**63, 1.5, "1", None]),
        (CHUNK, "epoch", [0, 10**16]),
        (CHUNK, "batch", [0, 2**64 - 1]),
        (CHUNK, "samples", [-1, 2**63 - 1]),
        (CHUNK, "in_update", [-1]),
        (CHUNK, "batch_size", [0, -4, 2**63 - 1]),
        (CHUNK, "last_batch_size", [0]),
        (CHUNK, "accumulation_steps", [0, -1]),
        (CHUNK, "seconds", [float("nan"), float("inf"), -0.5, 1e300]),
        (CHUNK, "duration", [float("nan"), float("inf"), -1.0]),
        (CHUNK, "lr", [float("nan"), -1.0]),
        (CHUNK, "wall_time", [float("nan"), float("-inf"), -1.0, 1e18]),
        (CHUNK, "losses", ["text", [1.0], None]),
        (CHUNK, "peak_memory", [-1, 2**63]),
        (STARTED, "n", [0, -1, 2**63]),
        (STARTED, "epochs", [0]),
        (STARTED, "pace", [0.0, -1.0, float("nan"), float("inf")]),
        (STARTED, "settings", [{"batch_size": 0}, {"lr": -1.0}, {"optimizer": " "}, {"new": 1}]),
        (EVALUATION, "updates", [-1]),
        (EVALUATION, "seconds", [float("nan"), -1.0]),
        (EVALUATION, "metrics", [{str(k): 0.5 for k in range(1001)}, {"a": "b"}, {1: 0.5}]),
        (CHANGED, "batch", [0]),
        (MEASURED, "effective_batch", [0]),
        (MEASURED, "cost", [float("inf")]),
        (PLANNED, "epochs", [0, 2**63]),
        (PLANNED, "command", [-1]),
    ],
)
def test_what_no_record_can_hold_is_refused(
    record: msgspec.Struct, field: str, values: list[Any]
) -> None:
    for value in values:
        with pytest.raises(RecordError):
            decode_record(encoded(document(record, **{field: value})))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        b"\x80",
        b"\x01",
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        encoded({"type": 5}),
        encoded({"type": "End", "wall_time": "now"}),
        encoded(["End"]),
        encoded(document(STARTED, model="abc")).replace(b"abc", b"\xff\xfe\xfd"),
        nested(200_000),
        encoded(CHUNK)[:-1],
        encoded(CHUNK) + b"\x00",
    ],
    ids=lambda payload: payload[:12].hex(),
)
def test_bytes_that_are_no_record_are_refused(payload: bytes) -> None:
    with pytest.raises(RecordError) as refused:
        decode_record(payload)
    assert str(refused.value).isprintable()


def test_a_refusal_holds_nothing_that_a_terminal_obeys() -> None:
    with pytest.raises(RecordError, match="x1b") as refused:
        decode_record(encoded(document(PLANNED, pace="\x1b[2J") | {"type": "\x1b[2J"}) + b"\x00")
    del refused
    with pytest.raises(RecordError) as refused:
        decode_record(
            encoded(document(StateChanged(generation=1, state=State.DIED)) | {"state": "\x9b1m"})
        )
    assert str(refused.value).isprintable()


def test_a_record_of_a_later_version_is_skipped() -> None:
    assert decode_record(encoded({"type": "Forked", "generation": "any", "x": [1, {}]})) is None


def test_fields_of_a_later_version_are_ignored() -> None:
    assert decode_record(encoded(document(PLANNED, later={"a": [1]}))) == PLANNED


def test_text_is_cleaned() -> None:
    found = decode_record(encoded(CommandSent(variant="S\x1bGD", command=SetPace(id=1, pace=None))))
    assert isinstance(found, CommandSent)
    assert found.variant == r"S\x1bGD"


def test_chunks_hold_no_text() -> None:
    """They are not searched for any."""
    fields = msgspec.inspect.type_info(Chunk).fields  # type: ignore[attr-defined]
    types = [getattr(field.type, "item_type", field.type) for field in fields]  # of tuples
    types = [one for each in types for one in getattr(each, "types", (each,))]  # of unions
    assert {type(each) for each in types} <= {IntType, FloatType, BoolType, BytesType}
