"""How a connection speaks: `chat.v1`, and two simpler dialects on the same rooms.

A dialect is a small codec: a frame in becomes verbs, an event becomes frames. What goes to many is encoded
once per dialect in use.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from chat.live.feed import Change

from . import protocol
from .protocol import BrokenFrame, Frame, Verb

# Orders to a terminal, and those that turn the direction of what follows.
CONTROLS = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {ord("\t"), ord("\n")}
REPLACED_CONTROLS = dict.fromkeys(CONTROLS, "\ufffd")


class Echo(msgspec.Struct):
    """Give this frame back to its sender as it came."""

    frame: Frame


class Who(msgspec.Struct):
    """Who is here?"""


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


Asked = Verb | Echo | Who | Say | Quit | PostBinary


class Dialect:
    """What the three have in common. `room` is where a simple dialect speaks; None: rooms are named in each frame."""

    subprotocol: str | None = None
    sends_heartbeats = False

    def __init__(self, room: str | None = None, name: str = ""):
        self.room = room
        self.name = name

    def asked(self, text: str) -> list[Asked | BrokenFrame]:
        """What a text frame asks for, line by line; a broken line does not spoil the others."""
        raise NotImplementedError

    def asked_by_bytes(self, data: bytes) -> Asked:
        raise BrokenFrame("unsupported", "This dialect takes text frames only.")

    @classmethod
    def told(cls, event: protocol.Event) -> Frame | None:
        """The frame for an event to this connection alone; None: the dialect has no word for it."""
        raise NotImplementedError

    @classmethod
    def changed(cls, changes: Sequence[Change]) -> list[Frame]:
        """The frames for changes of a room, for everybody in it."""
        raise NotImplementedError


class ChatV1(Dialect):
    """The whole protocol."""

    subprotocol = protocol.SUBPROTOCOL
    sends_heartbeats = True

    def asked(self, text: str) -> list[Asked | BrokenFrame]:
        lines = text.split("\n")
        return [_try(protocol.decode_verb, line) for line in lines if line.strip()] or [
            BrokenFrame("bad_json", "The frame is empty.")
        ]

    def asked_by_bytes(self, data: bytes) -> Asked:
        raise BrokenFrame("unsupported", "Attachments are not supported yet.")

    @classmethod
    def told(cls, event: protocol.Event) -> Frame | None:
        return Frame(protocol.encode(event))

    @classmethod
    def changed(cls, changes: Sequence[Change]) -> list[Frame]:
        return [Frame(b"\n".join([change.body for change in changes]))]


class ModeCode(Dialect):
    """The plain chat that everybody writes once: `{"ModeCode": "message", "msg": …}`. One object a frame."""

    def asked(self, text: str) -> list[Asked | BrokenFrame]:
        return [_try(self._asked, text)]

    def _asked(self, text: str) -> Asked:
        frame = _object(text)
        mode = frame.get("ModeCode")
        if mode == "heart_beat":
            return Echo(Frame(text.encode()))
        if mode == "message":
            return protocol.Post(room=self.room or "", nonce=_nonce(), text=_sayable(frame.get("msg")))
        raise BrokenFrame("unknown_type", "ModeCode is message or heart_beat.")

    def asked_by_bytes(self, data: bytes) -> Asked:
        return PostBinary(room=self.room or "", nonce=_nonce(), data=data)

    @classmethod
    def told(cls, event: protocol.Event) -> Frame | None:
        if isinstance(event, protocol.Error):
            return _mode_code(ModeCode="error", msg=event.message, code=event.code)
        if isinstance(event, protocol.Bye):
            return _mode_code(ModeCode="error", msg=event.reason, code=event.code)
        return None

    @classmethod
    def changed(cls, changes: Sequence[Change]) -> list[Frame]:
        return [frame for change in changes for frame in cls._frames(change)]

    @classmethod
    def _frames(cls, change: Change) -> list[Frame]:
        if change.blob is not None:
            return [Frame(change.blob, binary=True)]
        message = protocol.decode_message(change.body)
        if message.version != message.seq:
            return []
        return [
            _mode_code(
                ModeCode="message",
                msg=message.text,
                name=message.author,
                seq=message.seq,
                time=message.created_at,
            )
        ]


class PlainText(Dialect):
    """For a person with a WebSocket on the command line: a line in is a message."""

    subprotocol = "chat.text"

    def asked(self, text: str) -> list[Asked | BrokenFrame]:
        return [_try(self._asked, line.rstrip("\r")) for line in text.split("\n") if line.strip()] or [
            BrokenFrame("empty", "An empty line says nothing.")
        ]

    def _asked(self, line: str) -> Asked:
        command, _, rest = line.partition(" ")
        if command == "/who":
            return Who()
        if command == "/me" and not rest.strip():
            return Say(f"You are {self.name} in {self.room}.")
        if command == "/me":
            return self._post(f"* {self.name} {rest.strip()}")
        if command == "/quit":
            return Quit()
        if command.startswith("/"):
            raise BrokenFrame("unknown_type", "The commands are /who, /me and /quit.")
        return self._post(line)

    def _post(self, text: str) -> Asked:
        return protocol.Post(room=self.room or "", nonce=_nonce(), text=_sayable(text))

    @classmethod
    def told(cls, event: protocol.Event) -> Frame | None:
        if isinstance(event, protocol.Hello):
            return _line(f"Welcome {event.name}")
        if isinstance(event, protocol.Error):
            return _line(f"! {event.message}")
        if isinstance(event, protocol.Bye):
            return _line(f"Bye: {event.reason}")
        return None

    @classmethod
    def changed(cls, changes: Sequence[Change]) -> list[Frame]:
        messages = [protocol.decode_message(change.body) for change in changes]
        return [_line(f"{m.author} -> {_harmless(m.text)}") for m in messages if m.version == m.seq]


def _try(decode, text: str) -> Asked | BrokenFrame:
    try:
        return decode(text)
    except BrokenFrame as broken:
        return broken


def _object(text: str) -> dict:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BrokenFrame("bad_json", "This is not a JSON object.") from None
    if not isinstance(found, dict):
        raise BrokenFrame("bad_json", "This is not a JSON object.")
    return found


def _sayable(text: object) -> str:
    if not isinstance(text, str):
        raise BrokenFrame("bad_frame", "msg is a text.")
    if not protocol.is_storable(text):
        raise BrokenFrame("bad_frame", "msg has a character that cannot be kept.")
    return text


def _mode_code(**fields) -> Frame:
    return Frame(protocol.encode(fields))


def _harmless(text: str) -> str:
    """Lines of which none begins as somebody else's would, since no name begins with a space."""
    return "\n    ".join(text.splitlines()).translate(REPLACED_CONTROLS)


def _line(text: str) -> Frame:
    return Frame(text.encode())


def _nonce() -> str:
    """These dialects have no nonces of their own: each frame is a new message."""
    return secrets.token_hex(8)


BY_SUBPROTOCOL: dict[str, type[Dialect]] = {"chat.v1": ChatV1, "chat.text": PlainText}
