"""Messages come through a socket in any pieces; whatever else comes is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.log.commands import Change, SetPace
from engine.log.filesystem.identity import FileIdentity
from engine.log.notices import Notice, NoticeKind
from engine.session.host.protocol import (
    MOST_BYTES,
    PROTOCOL,
    EndHost,
    FrameReader,
    Hello,
    Message,
    Order,
    ProtocolError,
    Refusal,
    Welcome,
    decode_client,
    decode_host,
    frame,
)
from engine.settings import VariantSettings

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
