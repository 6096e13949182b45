"""How a connection speaks: `chat.v1`, and two simpler dialects on the same rooms."""

from .base import Dialect, Echo, PostBinary, Quit, Request, Say, Who
from .chat_v1 import ChatV1
from .mode_code import ModeCode
from .plain_text import PlainText

__all__ = [
    "BY_SUBPROTOCOL",
    "ChatV1",
    "Dialect",
    "Echo",
    "ModeCode",
    "PlainText",
    "PostBinary",
    "Quit",
    "Request",
    "Say",
    "Who",
]

BY_SUBPROTOCOL: dict[str, type[Dialect]] = {"chat.v1": ChatV1, "chat.text": PlainText}
