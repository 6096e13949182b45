"""The wire of `chat.v1`: every frame as a type, and how it becomes bytes and back.

No Django, no I/O. docs/protocol.md shows each frame; section numbers there are the reference.
Text frames carry UTF-8 JSON objects, one a line, one or more lines a frame, both ways.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated, Any

import msgspec

from chat import limits

SUBPROTOCOL = "chat.v1"
TICKET_PREFIX = "ticket."


# A place on a number line: what a database column and a JavaScript number both hold.
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Nonce = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Close(IntEnum):
    """Why a connection ends. The range is the meaning: 40xx stays away, 41xx backs off, 42xx comes when told."""

    NOT_SIGNED_IN = 4001
    FORBIDDEN = 4002
    ACCOUNT_DISABLED = 4003
    PROTOCOL_NOT_SUPPORTED = 4004
    REPLACED = 4005
    PROTOCOL_BROKEN = 4006
    INTERNAL = 4100
    TOO_SLOW = 4101
    RATE_LIMITED = 4102
    HEARTBEAT_MISSED = 4103
    OVERLOADED = 4104
    RESTARTING = 4200
    AUTHENTICATE_AGAIN = 4201

    @property
    def reason(self) -> str:
        return self.name.lower().replace("_", " ")


class Refusal(Exception):
    """A request that cannot be done; becomes one `error` frame."""

    def __init__(self, code: str, message: str, retry_after: float | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


NO_SUCH_ROOM = ("not_found", "There is no such room.")


# From a client ---------------------------------------------------------------------------------------------


class Verb(msgspec.Struct, tag_field="type", omit_defaults=True):
    """Something that a client asks for. `id` comes back in the answer."""

    id: str | int | None = None


class Join(Verb, tag="join", kw_only=True):
    room: str
    after: Number | None = None
    epoch: str | None = None


class Leave(Verb, tag="leave", kw_only=True):
    room: str


class History(Verb, tag="history", kw_only=True):
    room: str
    before: Number
    limit: Number = limits.LATEST_PAGE


class Post(Verb, tag="post", kw_only=True):
    room: str
    nonce: Nonce
    text: str


class Edit(Verb, tag="edit", kw_only=True):
    room: str
    seq: Number
    text: str
    nonce: Nonce | None = None


class Delete(Verb, tag="delete", kw_only=True):
    room: str
    seq: Number
    nonce: Nonce | None = None


class React(Verb, tag="react", kw_only=True):
    room: str
    seq: Number
    emoji: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.EMOJI_LIMIT_CHARACTERS)]
    on: bool = True
    nonce: Nonce | None = None


class Read(Verb, tag="read", kw_only=True):
    room: str
    seq: Number


class Typing(Verb, tag="typing", kw_only=True):
    room: str


class Heartbeat(Verb, tag="heartbeat", kw_only=True):
    at: dict[str, Number] | None = None
    sent: float | int | str | None = None


VERBS = (Join, Leave, History, Post, Edit, Delete, React, Read, Typing, Heartbeat)


# To a client -----------------------------------------------------------------------------------------------


class Event(msgspec.Struct, tag_field="type", omit_defaults=True):
    """Something that a client is told."""


class RoomState(msgspec.Struct, omit_defaults=True):
    """A room in `hello`: where its number line stands, and how far this name has read."""

    room: str
    title: str
    head: int
    read: int


class Hello(Event, tag="hello"):
    name: str
    connection: str
    process: str
    rooms: list[RoomState]
    heartbeat: dict[str, float]
    limits: dict[str, float]
    now: datetime


class Message(Event, tag="message", kw_only=True):
    """The whole state of a message, whatever changed. `version` == `seq`: it is new."""

    room: str
    seq: int
    version: int
    author: str
    nonce: str
    text: str
    created_at: datetime
    edited_at: datetime | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = {}
    binary: int | None = None


class Online(msgspec.Struct, omit_defaults=True):
    """Who is in a room. Big rooms get the count alone."""

    count: int
    names: list[str] | None = None


class Joined(Event, tag="joined", kw_only=True):
    """A page of a room, complete up to `head`. With `more`: join again with `after` = `head`.

    Without an `id` it was not asked for: the server read changes (`after`, `head`] from the database.
    """

    id: str | int | None = None
    room: str
    title: str
    epoch: str
    head: int
    messages: list[msgspec.Raw]
    after: int | None = None
    earlier: bool = False
    more: bool = False
    online: Online | None = None


class Left(Event, tag="left", kw_only=True):
    """Out of the room: as asked, or with a `reason` when it was not."""

    id: str | int | None = None
    room: str
    reason: str | None = None


class HistoryPage(Event, tag="history", kw_only=True):
    id: str | int | None = None
    room: str
    messages: list[msgspec.Raw]
    more: bool


class Resync(Event, tag="resync", kw_only=True):
    id: str | int | None = None
    room: str
    reason: str


class Ack(Event, tag="ack", kw_only=True):
    id: str | int | None = None
    room: str
    seq: int
    version: int
    nonce: str | None = None
    duplicate: bool = False


class Presence(Event, tag="presence", kw_only=True):
    room: str
    joined: list[str] = []
    left: list[str] = []
    count: int


class TypingNames(Event, tag="typing", kw_only=True):
    room: str
    names: list[str]


class ReadMoved(Event, tag="read", kw_only=True):
    room: str
    seq: int


class HeartbeatReply(Event, tag="heartbeat", kw_only=True):
    id: str | int | None = None
    sent: float | int | str | None = None
    now: datetime


class Error(Event, tag="error", kw_only=True):
    id: str | int | None = None
    code: str
    message: str
    retry_after: float | None = None
    room: str | None = None
    nonce: str | None = None


class Bye(Event, tag="bye", kw_only=True):
    code: int
    reason: str
    retry_after: float | None = None


# Bytes -----------------------------------------------------------------------------------------------------


class Frame:
    """One WebSocket message. `wire` is the unmasked RFC 6455 frame, built once for all who get it."""

    __slots__ = ("binary", "payload", "wire")

    def __init__(self, payload: bytes, binary: bool = False):
        self.payload = payload
        self.binary = binary
        self.wire = _header(len(payload), binary) + payload


def _header(length: int, binary: bool) -> bytes:
    first = 0x82 if binary else 0x81
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)


_encoder = msgspec.json.Encoder()
_verb_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
    Join | Leave | History | Post | Edit | Delete | React | Read | Typing | Heartbeat
)
_message_decoder = msgspec.json.Decoder(Message)

encode = _encoder.encode
decode_message = _message_decoder.decode


class BrokenFrame(Refusal):
    """A line that is not a verb. `id` is what could be made out of it."""

    def __init__(self, code: str, message: str, id: str | int | None = None):
        super().__init__(code, message)
        self.id = id


def decode_verb(line: str) -> Verb:
    """One line of a text frame as a verb, or BrokenFrame with the code that the client is told."""
    try:
        verb = _verb_decoder.decode(line)
    except msgspec.ValidationError as problem:
        raise _explain(line, problem) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BrokenFrame("bad_json", "This is not a JSON object.") from None
    _check_strings(verb)
    return verb


def _explain(line: str, problem: msgspec.ValidationError) -> BrokenFrame:
    try:
        given = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return BrokenFrame("bad_json", "This is not a JSON object.")
    id = given.get("id")
    id = id if isinstance(id, str | int) and not isinstance(id, bool) else None
    if str(problem).startswith("Invalid value") and str(problem).endswith("`$.type`"):
        return BrokenFrame("unknown_type", f"There is no such type: {_shown(given['type'])}.", id)
    return BrokenFrame("bad_frame", f"{problem}.", id)


def _shown(value: object) -> str:
    return repr(value)[:80]


def _check_strings(verb: Verb) -> None:
    """No database keeps a NUL, and no socket a half of a surrogate pair."""
    for field in verb.__struct_fields__:
        value = getattr(verb, field)
        if isinstance(value, str) and not is_storable(value):
            raise BrokenFrame("bad_frame", f"`{field}` has a character that cannot be kept.", verb.id)


def is_storable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not _has_surrogate(text))


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def now() -> datetime:
    """The current time in UTC, to the millisecond: what messages carry."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
