"""What is kept: rooms, who belongs to them, messages, and notices of what was taken away."""

from .access_notice import AccessNotice
from .incarnation import Incarnation
from .membership import Membership
from .message import ChangeNonce, Message
from .room import Room, new_epoch

__all__ = ["AccessNotice", "ChangeNonce", "Incarnation", "Membership", "Message", "Room", "new_epoch"]
