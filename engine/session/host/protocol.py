"""The messages between a host and its clients, and their frames on the socket.

A client greets first; the host answers with a welcome or a refusal, and then answers every request,
in order. A frame is the length of a message, four bytes, most significant first, and the message in
msgpack.
"""

import struct
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

from engine.log.commands import AnyCommand
from engine.log.directory import MOST_VARIANTS
from engine.log.filesystem.identity import FileIdentity
from engine.log.notices import Notice
from engine.log.records import CommandSent
from engine.settings import VariantSettings
from engine.settings.ranges import Identifier, Ordinal
from engine.settings.text import clean, cleaned

PROTOCOL: Final = 3
"""The version of the messages. It increases when an older host or client would misread them."""
MOST_BYTES: Final = 1 << 20
"""Size limit of a message; commands to a thousand variants take 300 KB."""
_HEAD: Final = struct.Struct(">I")
Flags = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
ControlCharacter = (
    Annotated[int, msgspec.Meta(ge=0, le=255)]
    | Annotated[bytes, msgspec.Meta(min_length=1, max_length=1)]
)
_Name = Annotated[str, msgspec.Meta(max_length=1_000)]


class ProtocolError(Exception):
    """Bytes that are not a message of this protocol; the message says what is wrong."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A message between a host and a client."""


class Hello(Message, frozen=True, kw_only=True):
    """The greeting of a client."""

    protocol: Ordinal
    version: _Name
    """Version of the client's program."""
    is_viewer: bool = False
    """True for a screen that stays connected; false for a command."""


class Order(Message, frozen=True, kw_only=True):
    """Commands to variants by name. The host numbers them, so the ids in them mean nothing.

    Commands that concern the whole run, such as a pause, must name every variant.
    """

    number: Identifier
    """The client's number of the request, repeated in the answer."""
    commands: Annotated[dict[_Name, AnyCommand], msgspec.Meta(max_length=MOST_VARIANTS)]
    is_hold: bool = False
    """True for a pause that ends when the client disconnects, and for the Resume that ends it.

    Training goes on once no client holds it any more.
    """


class EndHost(Message, frozen=True, kw_only=True):
    """A request to stop the workers, close the logs and end the host."""

    number: Identifier


class Farewell(Message, frozen=True, kw_only=True):
    """The last message of a viewer that leaves on purpose; one that was killed sends none."""


class HoldTerminal(Message, frozen=True, kw_only=True):
    """A viewer's terminal, to be restored if the viewer is killed; a descriptor comes with it."""

    leader: Ordinal
    """Process that leads the viewer's session."""
    group: Ordinal
    """Process group of the viewer."""
    flags: tuple[Flags, Flags, Flags, Flags, Flags, Flags]
    """The terminal's modes before the viewer used it, as in termios.tcgetattr."""
    characters: Annotated[tuple[ControlCharacter, ...], msgspec.Meta(max_length=64)]


class Welcome(Message, frozen=True, kw_only=True):
    """The answer to a greeting."""

    protocol: Ordinal
    version: _Name
    """Version of the host's program."""
    pid: Ordinal
    run: FileIdentity
    """The run's directory: a note in another one may name this host's socket."""
    viewers: int
    """The number of screens connected, this one included."""
    epochs: Ordinal
    """Epochs to train in total."""
    settings: dict[_Name, VariantSettings]
    """The latest settings requested for each variant."""
    notices: tuple[Notice, ...] = ()
    """Notices that still apply."""
    has_ended: bool = False
    """True if all variants have ended, and the host waits for commands."""


class Done(Message, frozen=True, kw_only=True):
    """The answer to a request that was carried out."""

    number: Identifier
    sent: tuple[CommandSent, ...] = ()
    """The commands as they were sent to the workers, with the host's ids.

    For a command that adds a variant, it has the variant's name.
    """


class Refusal(Message, frozen=True, kw_only=True):
    """The answer to a greeting (number 0) or request that cannot be carried out."""

    number: Identifier = 0
    reason: str


class Notices(Message, frozen=True, kw_only=True):
    """Notices for every viewer; not an answer."""

    notices: tuple[Notice, ...]


class HostEnds(Message, frozen=True, kw_only=True):
    """The last message to every viewer of a host that ends in order; not an answer."""


def version_refusal(version: str, hello: Hello) -> str:
    """Why a host of this version refuses a client with another protocol."""
    return (
        f"the host runs gdtui {version} (protocol {PROTOCOL}), this is gdtui {hello.version} "
        f"(protocol {hello.protocol}): use the host's version"
    )


FromClient = Hello | Order | EndHost | HoldTerminal | Farewell
FromHost = Welcome | Done | Refusal | Notices | HostEnds
_from_client: Final = msgspec.msgpack.Decoder(FromClient)
_from_host: Final = msgspec.msgpack.Decoder(FromHost)


def frame(message: Message) -> bytes:
    """The message as it goes through the socket."""
    data = msgspec.msgpack.encode(message)
    return _HEAD.pack(len(data)) + data


def decode_client(data: bytes) -> FromClient:
    """A client's message, its text cleaned; raises ProtocolError."""
    message: FromClient = _decode(_from_client, data)
    return message


def decode_host(data: bytes) -> FromHost:
    """A host's message, its text cleaned; raises ProtocolError."""
    message: FromHost = _decode(_from_host, data)
    return message


def _decode(decoder: msgspec.msgpack.Decoder[Any], data: bytes) -> Any:
    try:
        return cleaned(decoder.decode(data))
    except RecursionError:
        raise ProtocolError("it is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise ProtocolError(clean(str(error))) from None


class FrameReader:
    """Puts the bytes from a socket together to messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the messages that are complete now; raises ProtocolError for one too long."""
        self._data += data
        while len(self._data) >= _HEAD.size:
            (size,) = _HEAD.unpack_from(self._data)
            if size > MOST_BYTES:
                raise ProtocolError(f"a message of {size:,} bytes is too long")
            end = _HEAD.size + size
            if len(self._data) < end:
                return
            message = bytes(self._data[_HEAD.size : end])
            del self._data[:end]
            yield message
