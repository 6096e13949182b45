"""What the dialects have in common: a frame in becomes requests, an event becomes a frame.

What goes to many is encoded once per dialect in use.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

import msgspec

from accounts.text import is_storable
from chat.wire.change import Change
from chat.wire.events import Event
from chat.wire.frame import Frame
from chat.wire.refusals import BrokenFrame
from chat.wire.verbs import Verb


class Echo(msgspec.Struct):
    """Give this frame back to its sender as it came."""

    frame: Frame


class Who(msgspec.Struct):
    """Who is in the room?"""

    room: str


class Say(msgspec.Struct):
    """A line for the sender alone."""

    text: str


class Quit(msgspec.Struct):
    """Close this connection."""


class PostBinary(msgspec.Struct):
    """Bytes for everybody in the room."""

    room: str
    nonce: str
    data: bytes


Request = Verb | Echo | Who | Say | Quit | PostBinary


class Dialect:
    """What the three have in common. `room` is where a simple dialect speaks; None: rooms are named in each frame."""

    subprotocol: str | None = None
    sends_heartbeats = False

    def __init__(self, room: str | None = None, name: str = ""):
        self.room = room
        self.name = name

    def decode(self, text: str) -> list[Request | BrokenFrame]:
        """What a text frame asks for, line by line; a broken line does not spoil the others."""
        raise NotImplementedError

    def decode_bytes(self, data: bytes) -> Request:
        raise BrokenFrame("unsupported", "This dialect takes text frames only.")

    @classmethod
    def encode_event(cls, event: Event) -> Frame | None:
        """The frame for an event to this connection alone; None: the dialect has no word for it."""
        raise NotImplementedError

    @classmethod
    def encode_changes(cls, changes: Sequence[Change]) -> list[Frame]:
        """The frames for changes of a room, for everybody in it."""
        raise NotImplementedError


def decoded_or_broken(decode: Callable[[str], Request], text: str) -> Request | BrokenFrame:
    try:
        return decode(text)
    except BrokenFrame as broken:
        return broken


def sayable(text: object) -> str:
    if not isinstance(text, str):
        raise BrokenFrame("bad_frame", "`msg` must be a string.")
    if not is_storable(text):
        raise BrokenFrame("bad_frame", "`msg` contains a character that can't be stored.")
    return text


def new_nonce() -> str:
    """These dialects have no nonces of their own: each frame is a new message."""
    return secrets.token_hex(8)
