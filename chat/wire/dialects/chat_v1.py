"""`chat.v1`: the whole protocol."""

from __future__ import annotations

from collections.abc import Sequence

from chat.wire import codec
from chat.wire.change import Change
from chat.wire.events import Event
from chat.wire.frame import Frame
from chat.wire.refusals import BrokenFrame

from .base import Asked, Dialect, decoded


class ChatV1(Dialect):
    """The whole protocol."""

    subprotocol = codec.SUBPROTOCOL
    sends_heartbeats = True

    def asked(self, text: str) -> list[Asked | BrokenFrame]:
        lines = text.split("\n")
        return [decoded(codec.decode_verb, line) for line in lines if line.strip()] or [
            BrokenFrame("bad_json", "The frame is empty.")
        ]

    def asked_by_bytes(self, data: bytes) -> Asked:
        raise BrokenFrame("unsupported", "Attachments are not supported yet.")

    @classmethod
    def told(cls, event: Event) -> Frame | None:
        return Frame(codec.encode(event))

    @classmethod
    def changed(cls, changes: Sequence[Change]) -> list[Frame]:
        return [Frame(b"\n".join([change.live for change in changes]))]
