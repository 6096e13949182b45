"""What is asked of the ledger, and what it answers."""

from __future__ import annotations

from typing import NamedTuple

from chat.wire.change import Change
from chat.wire.dialects import PostBinary
from chat.wire.refusals import Refusal
from chat.wire.verbs import Delete, Edit, Post, React

Posting = Post | PostBinary
Amendment = Edit | Delete | React
Write = Posting | Amendment


class Entry(NamedTuple):
    """What somebody wants written."""

    user_id: int
    verb: Write


class Receipt(NamedTuple):
    """The numbers that an entry got. `is_repeat`: it was written before, and got them then."""

    room: str
    seq: int
    version: int
    is_repeat: bool


class RoomChanges(NamedTuple):
    """What a transaction changed in one room, in order."""

    room_id: int
    room: str
    changes: list[Change]


Outcome = Receipt | Refusal
