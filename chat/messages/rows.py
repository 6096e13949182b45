"""Rows of messages as they go on the wire: always the whole state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from chat.models import Message
from chat.wire import codec, events
from chat.wire.change import Change

ROWS_AT_ONCE = 20

COLUMNS = (
    "room__slug",
    "seq",
    "version",
    "author__username",
    "nonce",
    "text",
    "created_at",
    "edited_at",
    "deleted_at",
    "reactions",
    "binary_bytes",
)


def states(messages: QuerySet[Message]) -> Iterator[Change]:
    """The messages of a query, in its order, encoded; read as they are wanted, because long ones soon fill a page."""
    return (_change(state(row)) for row in messages.values_list(*COLUMNS).iterator(chunk_size=ROWS_AT_ONCE))


def state(row: tuple[Any, ...]) -> events.Message:
    """One row of COLUMNS as a message."""
    room, seq, version, author, nonce, text, created_at, edited_at, deleted_at, reactions, binary = row
    return events.Message(
        room=room,
        seq=seq,
        version=version,
        author=author,
        nonce=nonce,
        text=text,
        created_at=created_at,
        edited_at=edited_at,
        deleted=deleted_at is not None,
        reactions=reactions,
        binary=binary,
    )


def _change(message: events.Message) -> Change:
    return Change(message.version, message.seq, codec.encode(message))
