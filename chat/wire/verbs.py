"""What a client of `chat.v1` asks for: a type for each verb, listed once in VERBS.

docs/protocol.md shows each frame.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from chat import limits

# A place on a number line: what a database column and a JavaScript number both hold.
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Nonce = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Verb(msgspec.Struct, tag_field="type", omit_defaults=True):
    """Something that a client asks for. `id` comes back in the answer."""

    id: str | int | None = None


class Join(Verb, tag="join", kw_only=True):
    room: str
    after: Number | None = None
    epoch: str | None = None


class Leave(Verb, tag="leave", kw_only=True):
    room: str


class History(Verb, tag="history", kw_only=True):
    """One of three: the messages before a place, those after it, or the message there with those around it."""

    room: str
    before: Number | None = None
    after: Number | None = None
    around: Number | None = None
    limit: Number = limits.LATEST_PAGE

    def __post_init__(self) -> None:
        if (self.before, self.after, self.around).count(None) != 2:
            raise ValueError("Expected one of `before`, `after` and `around`")


class Post(Verb, tag="post", kw_only=True):
    room: str
    nonce: Nonce
    text: str


class Edit(Verb, tag="edit", kw_only=True):
    room: str
    seq: Number
    text: str
    nonce: Nonce | None = None


class Delete(Verb, tag="delete", kw_only=True):
    room: str
    seq: Number
    nonce: Nonce | None = None


class React(Verb, tag="react", kw_only=True):
    room: str
    seq: Number
    emoji: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.EMOJI_LIMIT_CHARACTERS)]
    on: bool = True
    nonce: Nonce | None = None


class Read(Verb, tag="read", kw_only=True):
    room: str
    seq: Number


class Typing(Verb, tag="typing", kw_only=True):
    """`on` false: the draft is gone."""

    room: str
    on: bool = True


class Heartbeat(Verb, tag="heartbeat", kw_only=True):
    at: dict[str, Number] | None = None
    sent: float | int | str | None = None


class Look(Verb, tag="look", kw_only=True):
    """From now on, who is here, who comes and goes and who types is told of these rooms only."""

    rooms: list[str]


VERBS: tuple[type[Verb], ...] = tuple(Verb.__subclasses__())
