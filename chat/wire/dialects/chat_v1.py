"""`chat.v1`: the whole protocol."""

from __future__ import annotations

from collections.abc import Sequence

from chat.wire import codec
from chat.wire.change import Change
from chat.wire.events import Event
from chat.wire.frame import Frame
from chat.wire.refusals import BrokenFrame

from .base import Dialect, Request, decoded_or_broken


class ChatV1(Dialect):
    """The whole protocol."""

    subprotocol = codec.SUBPROTOCOL
    sends_heartbeats = True

    def decode(self, text: str) -> list[Request | BrokenFrame]:
        lines = text.split("\n")
        return [decoded_or_broken(codec.decode_verb, line) for line in lines if line.strip()] or [
            BrokenFrame("bad_json", "The frame is empty.")
        ]

    def decode_bytes(self, data: bytes) -> Request:
        raise BrokenFrame("unsupported", "Attachments are not supported yet.")

    @classmethod
    def encode_event(cls, event: Event) -> Frame | None:
        return Frame(codec.encode(event))

    @classmethod
    def encode_changes(cls, changes: Sequence[Change]) -> list[Frame]:
        return [Frame(b"\n".join([change.live for change in changes]))]
