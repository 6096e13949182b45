"""The dialect of the plain chat that everybody writes once: `{"ModeCode": "message", "msg": "Hello"}`."""

from __future__ import annotations

from collections.abc import Sequence

from chat.wire import codec
from chat.wire.change import Change
from chat.wire.events import Bye, Error, Event
from chat.wire.frame import Frame
from chat.wire.refusals import BrokenFrame
from chat.wire.verbs import Post

from .base import Dialect, Echo, PostBinary, Request, decoded_or_broken, new_nonce, sayable


class ModeCode(Dialect):
    """The plain chat that everybody writes once: `{"ModeCode": "message", "msg": …}`. One object a frame."""

    def decode(self, text: str) -> list[Request | BrokenFrame]:
        return [decoded_or_broken(self._decode, text)]

    def _decode(self, text: str) -> Request:
        frame = codec.decode_object(text)
        mode = frame.get("ModeCode")
        if mode == "heart_beat":
            return Echo(Frame(text.encode()))
        if mode == "message":
            return Post(room=self.room or "", nonce=new_nonce(), text=sayable(frame.get("msg")))
        raise BrokenFrame("unknown_type", 'ModeCode must be "message" or "heart_beat".')

    def decode_bytes(self, data: bytes) -> Request:
        return PostBinary(room=self.room or "", nonce=new_nonce(), data=data)

    @classmethod
    def encode_event(cls, event: Event) -> Frame | None:
        if isinstance(event, Error):
            return _mode_code(ModeCode="error", msg=event.message, code=event.code)
        if isinstance(event, Bye):
            return _mode_code(ModeCode="error", msg=event.reason, code=event.code)
        return None

    @classmethod
    def encode_changes(cls, changes: Sequence[Change]) -> list[Frame]:
        return [frame for change in changes for frame in cls._frames(change)]

    @classmethod
    def _frames(cls, change: Change) -> list[Frame]:
        if change.blob is not None:
            return [Frame(change.blob, binary=True)]
        message = codec.decode_message(change.body)
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


def _mode_code(**fields) -> Frame:
    return Frame(codec.encode(fields))
