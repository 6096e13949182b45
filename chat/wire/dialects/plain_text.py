"""Lines of text, for a person with a WebSocket on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from chat.wire import codec
from chat.wire.change import Change
from chat.wire.events import Bye, Error, Event, Hello
from chat.wire.frame import Frame
from chat.wire.refusals import BrokenFrame
from chat.wire.verbs import Post

from .base import Dialect, Quit, Request, Say, Who, decoded_or_broken, new_nonce, sayable

# Orders to a terminal, and those that turn the direction of what follows.
CONTROLS = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {ord("\t"), ord("\n")}
REPLACED_CONTROLS = dict.fromkeys(CONTROLS, "\ufffd")


class PlainText(Dialect):
    """For a person with a WebSocket on the command line: a line in is a message."""

    subprotocol = "chat.text"

    def decode(self, text: str) -> list[Request | BrokenFrame]:
        return [decoded_or_broken(self._decode, line.rstrip("\r")) for line in text.split("\n") if line.strip()] or [
            BrokenFrame("empty", "The message is empty.")
        ]

    def _decode(self, line: str) -> Request:
        command, _, rest = line.partition(" ")
        if command == "/who":
            return Who(self.room or "")
        if command == "/me" and not rest.strip():
            return Say(f"You are {self.name} in {self.room}.")
        if command == "/me":
            return self._post(f"* {self.name} {rest.strip()}")
        if command == "/quit":
            return Quit()
        if command.startswith("/"):
            raise BrokenFrame("unknown_type", "The commands are /who, /me and /quit.")
        return self._post(line)

    def _post(self, text: str) -> Request:
        return Post(room=self.room or "", nonce=new_nonce(), text=sayable(text))

    @classmethod
    def encode_event(cls, event: Event) -> Frame | None:
        if isinstance(event, Hello):
            return _line(f"Welcome {event.name}")
        if isinstance(event, Error):
            return _line(f"! {event.message}")
        if isinstance(event, Bye):
            return _line(f"Bye: {event.reason}")
        return None

    @classmethod
    def encode_changes(cls, changes: Sequence[Change]) -> list[Frame]:
        messages = [codec.decode_message(change.body) for change in changes]
        return [_line(f"{m.author} -> {_harmless(m.text)}") for m in messages if m.version == m.seq]


def _harmless(text: str) -> str:
    """Lines of which none begins as somebody else's would, since no name begins with a space."""
    return "\n    ".join(text.splitlines()).translate(REPLACED_CONTROLS)


def _line(text: str) -> Frame:
    return Frame(text.encode())
