"""How a connection speaks: `chat.v1`, and two simpler dialects on the same rooms."""

from .base import Asked, Dialect, Echo, PostBinary, Quit, Say, Who
from .chat_v1 import ChatV1
from .mode_code import ModeCode
from .plain_text import PlainText

__all__ = [
    "BY_SUBPROTOCOL",
    "Asked",
    "ChatV1",
    "Dialect",
    "Echo",
    "ModeCode",
    "PlainText",
    "PostBinary",
    "Quit",
    "Say",
    "Who",
]

BY_SUBPROTOCOL: dict[str, type[Dialect]] = {"chat.v1": ChatV1, "chat.text": PlainText}
