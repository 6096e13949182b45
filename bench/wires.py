"""What a client says to each kind of server: how it comes in, how it posts, how it stays alive.

Every message carries its number between two marks, in the text, so that a delivery is found in the stream of a
socket without decoding it, however the server wrapped it.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from .websocket import END_OF_HEADERS

MARK = b"%%%"
TEXT_BYTES = 100
FILLER = " the quick brown fox jumps over the lazy dog while the chat goes on and on and on and on and on"


class Step(NamedTuple):
    """When these bytes have come, say this."""

    awaited: bytes
    answer: bytes | None = None


def text_of(number: int) -> str:
    """A message of TEXT_BYTES with its number in it."""
    mark = MARK.decode()
    return f"{mark}{number:07d}{mark}{FILLER}"[:TEXT_BYTES]


def numbers_in(data: bytes) -> list[bytes]:
    """The numbers of the messages in a piece of a stream."""
    return data.split(MARK)[1::2]


class Wire:
    """The plainest server: a room is a path, a message is an object, everybody in the room gets it as it came."""

    subprotocol: str | None = None
    heartbeat: bytes | None = None
    heartbeat_interval_s = 10.0

    def path(self, room: str) -> str:
        return f"/{room}"

    def steps(self, room: str) -> list[Step]:
        """From the upgrade to being in the room."""
        return [Step(END_OF_HEADERS)]

    def post(self, room: str, number: int) -> bytes:
        return json.dumps({"message": text_of(number)}, separators=(",", ":")).encode()

    def reply(self, payload: bytes) -> bytes | None:
        """The answer to a frame of a single character."""
        return None


class TutorialWire(Wire):
    """As in the tutorial of Channels."""

    def path(self, room: str) -> str:
        return f"/ws/chat/{room}/"


class SocketIOWire(Wire):
    """Engine.IO 4 over a WebSocket alone, Socket.IO 5 in it."""

    def path(self, room: str) -> str:
        return f"/socket.io/?EIO=4&transport=websocket&room={room}"

    def steps(self, room: str) -> list[Step]:
        return [Step(END_OF_HEADERS), Step(b'0{"sid"', b"40"), Step(b'40{"sid"')]

    def post(self, room: str, number: int) -> bytes:
        return b'42["message",' + super().post(room, number) + b"]"

    def reply(self, payload: bytes) -> bytes | None:
        return b"3" if payload == b"2" else None


class ChatWire(Wire):
    """`chat.v1` of this site. Every connection comes with a ticket of its own and beats its heart."""

    subprotocol = "chat.v1"
    heartbeat = b'{"type":"heartbeat"}'

    def __init__(self, tickets: Iterator[str]):
        self._tickets = tickets
        self.after: int | None = None
        self.last: int | None = None

    def path(self, room: str) -> str:
        return f"/ws/?ticket={next(self._tickets)}"

    def steps(self, room: str) -> list[Step]:
        """Being in the room is to have its page; with `after`, all up to the message with the number `last`."""
        complete = b'"type":"joined"' if self.last is None else b"%s%07d" % (MARK, self.last)
        return [Step(END_OF_HEADERS), Step(b'"type":"hello"', self.join(room)), Step(complete)]

    def join(self, room: str) -> bytes:
        position = "" if self.after is None else f',"after":{self.after}'
        return f'{{"type":"join","id":1,"room":"{room}"{position}}}'.encode()

    def history(self, room: str, before: int) -> bytes:
        return f'{{"type":"history","id":2,"room":"{room}","before":{before}}}'.encode()

    def post(self, room: str, number: int) -> bytes:
        text = text_of(number)
        return f'{{"type":"post","id":{number},"room":"{room}","nonce":"b{number}","text":"{text}"}}'.encode()
