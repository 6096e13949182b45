"""What a client is told: a type for each event. docs/protocol.md shows each frame."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Event(msgspec.Struct, tag_field="type", omit_defaults=True):
    """Something that a client is told."""


class RoomState(msgspec.Struct, omit_defaults=True):
    """A room of one's own in `hello`: its latest change, its last message, and the last one that this name has read.

    `last` and `read` are ordinals: their difference is how many messages are unread.
    """

    room: str
    title: str
    head: int
    last: int
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
    """The whole state of a message, whatever changed. `version` == `seq`: it is new.

    `html`: what the text looks like, where that says more than the text, by an allow-list of tags.

    `ordinal`: which message of the room it is, counted from 1 without holes.
    """

    room: str
    seq: int
    ordinal: int
    version: int
    author: str
    nonce: str
    text: str
    html: str = ""
    created_at: datetime
    edited_at: datetime | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = {}
    binary: int | None = None


class Reaction(Event, tag="reaction", kw_only=True):
    """A reaction to the message at `seq` came or went: a change like any other, told as what changed."""

    room: str
    seq: int
    version: int
    emoji: str
    name: str
    on: bool


class Online(msgspec.Struct, omit_defaults=True):
    """Who is in a room. Big rooms get the count alone."""

    count: int
    names: list[str] | None = None


class Looking(Event, tag="looking", kw_only=True):
    """Who is in the rooms that this connection looks at, by room."""

    id: str | int | None = None
    online: dict[str, Online]


class Joined(Event, tag="joined", kw_only=True):
    """A page of a room, complete up to `head`. With `more`: join again with `after` = `head`.

    Without an `id` it was not asked for: the server read changes (`after`, `head`] from the database. `role`:
    one's own, if one belongs to the room.
    """

    id: str | int | None = None
    room: str
    title: str
    role: str | None = None
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
    """`more`: there are others further on, the way that was asked for; around a place: before and after the page."""

    id: str | int | None = None
    room: str
    messages: list[msgspec.Raw]
    more: bool | None = None
    earlier: bool | None = None
    later: bool | None = None


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
    names: list[str] = []
    stopped: list[str] = []


class RoomChanged(Event, tag="room", kw_only=True):
    """The room has another title."""

    room: str
    title: str


class ReadMoved(Event, tag="read", kw_only=True):
    """One has read so far, on another connection. `read` is an ordinal."""

    room: str
    read: int


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
