"""Messages come through a socket in any pieces; whatever else comes is refused."""

import struct

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.log.commands import Change, SetPace
from engine.log.filesystem.identity import FileIdentity
from engine.log.notices import Notice, NoticeKind
from engine.session.host.protocol import (
    MOST_BYTES,
    PROTOCOL,
    Done,
    EndHost,
    FrameReader,
    Hello,
    Message,
    Notices,
    Order,
    ProtocolError,
    Refusal,
    Welcome,
    decode_client,
    decode_host,
    frame,
)
from engine.settings import VariantSettings

ALL = (Hello, Order, EndHost, Welcome, Done, Refusal, Notices)
REQUESTS: list[Message] = [
    Hello(protocol=PROTOCOL, version="1", is_viewer=True),
    Order(number=1, commands={"SGD": Change(id=0, settings=VariantSettings(lr=0.5))}),
    Order(number=2, commands={"SGD": SetPace(id=0, pace=None)}),
    EndHost(number=3),
]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=50))
def test_messages_survive_any_pieces(sizes: list[int]) -> None:
    data = b"".join(map(frame, REQUESTS))
    reader, found = FrameReader(), []
    while data:
        size = sizes[len(found) % len(sizes)]
        found += [decode_client(each) for each in reader.feed(data[:size])]
        data = data[size:]
    assert found == REQUESTS


@given(st.binary(max_size=200))
def test_rubbish_is_refused(data: bytes) -> None:
    for decode in (decode_client, decode_host):
        try:
            decode(data)
        except ProtocolError:
            continue


@pytest.mark.parametrize("data", [b"\x91" * 100_000, b"\xc1", b"", b"\xa3\xff\xfe\xfd"])
def test_what_msgpack_cannot_read_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_client(data)


def test_a_message_that_is_too_long_is_refused_at_its_head() -> None:
    with pytest.raises(ProtocolError, match="too long"):
        list(FrameReader().feed(struct.pack(">I", MOST_BYTES + 1)))


def test_text_from_the_other_side_is_cleaned() -> None:
    notice = Notice(kind=NoticeKind.DIED, variant=None, text="plain")
    welcome = Welcome(
        protocol=1,
        version="\x1b[2J",
        pid=1,
        run=FileIdentity(1, 2),
        viewers=0,
        epochs=1,
        settings={},
        notices=(notice,),
    )
    (data,) = FrameReader().feed(frame(welcome))
    found = decode_host(data)
    assert isinstance(found, Welcome)
    assert "\x1b" not in found.version
    (data,) = FrameReader().feed(frame(Refusal(reason="\x1b[2J")))
    assert "\x1b" not in str(decode_host(data))


values: st.SearchStrategy[object] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(max_size=5), inner)),
    max_leaves=8,
)
FIELDS = sorted({name for kind in ALL for name in kind.__struct_fields__})
COMMANDS = ["Change", "Restart", "Pause", "Resume", "StepOnce", "SetPace", "Extend", "Stop"]
commands = st.fixed_dictionaries(
    {"type": st.sampled_from(COMMANDS), "id": st.integers(-1, 9)},
    optional=dict.fromkeys(("settings", "pace", "epochs", "is_on"), values),
)


@settings(max_examples=60)
@given(
    st.sampled_from([kind.__name__ for kind in ALL]),
    st.dictionaries(st.sampled_from(FIELDS), values),
    st.dictionaries(st.text(max_size=5), st.one_of(commands, values), max_size=3),
)
def test_fields_of_other_types_are_refused(
    kind: str, fields: dict[str, object], orders: dict[str, object]
) -> None:
    data = msgspec.msgpack.encode({"commands": orders, "number": 1, **fields, "type": kind})
    for decode in (decode_client, decode_host):
        try:
            found = decode(data)
        except ProtocolError:
            continue
        assert decode(frame(found)[4:]) == found
