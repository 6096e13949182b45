"""A message as a row and as it goes on the wire: one list of columns makes SELECT, INSERT, UPDATE and the struct."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from chat.models import Message
from chat.wire import codec, events
from chat.wire.change import Change

ROWS_AT_ONCE = 20


def _as_it_is(value: Any) -> Any:
    return value


def moment(value: datetime | None) -> Any:
    """A moment as the driver takes it. Most are none, and to ask Django costs more than the rest of the row."""
    return None if value is None else connection.ops.adapt_datetimefield_value(value)


def moment_of(value: Any) -> Any:
    """A moment as the driver gives it. SQLite keeps it in UTC without saying so, and as text where it was computed."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _reactions_of(value: Any) -> dict[str, list[str]]:
    return json.loads(value) if isinstance(value, str) else value


class Column(NamedTuple):
    """A column of chat_message, and the field of events.Message that it holds. `is_fixed`: no change touches it."""

    name: str
    field: str
    is_fixed: bool = False
    to_row: Callable[[Any], Any] = _as_it_is
    of_row: Callable[[Any], Any] = _as_it_is


COLUMNS = (
    Column("seq", "seq", is_fixed=True),
    Column("ordinal", "ordinal", is_fixed=True),
    Column("nonce", "nonce", is_fixed=True),
    Column("created_at", "created_at", is_fixed=True, to_row=moment, of_row=moment_of),
    Column("version", "version"),
    Column("text", "text"),
    Column("html", "html"),
    Column("binary_bytes", "binary"),
    Column("reactions", "reactions", to_row=json.dumps, of_row=_reactions_of),
    Column("edited_at", "edited_at", to_row=moment, of_row=moment_of),
    Column("deleted_at", "deleted", to_row=lambda is_deleted: moment(codec.now() if is_deleted else None), of_row=bool),
)
CHANGING = tuple(column for column in COLUMNS if not column.is_fixed)

# With the room's address and the author's name before the columns.
SELECTED = (
    "room__slug",
    "author__username",
    *(column.name for column in COLUMNS),
)
SELECT = (
    f"SELECT message.author_id, room.slug, author.username, {', '.join(f'message.{column.name}' for column in COLUMNS)}"
    " FROM chat_message message JOIN chat_room room ON room.id = message.room_id"
    " JOIN accounts_user author ON author.id = message.author_id"
)
INSERT = (
    f"INSERT INTO chat_message (room_id, author_id, {', '.join(column.name for column in COLUMNS)})"
    f" VALUES (%s, %s{', %s' * len(COLUMNS)})"
)
UPDATE = (
    f"UPDATE chat_message SET {', '.join(f'{column.name} = %s' for column in CHANGING)} WHERE room_id = %s AND seq = %s"
)


def inserted(room_id: int, author_id: int, message: events.Message) -> tuple[Any, ...]:
    """The values of INSERT."""
    return (room_id, author_id, *(column.to_row(getattr(message, column.field)) for column in COLUMNS))


def updated(room_id: int, message: events.Message) -> tuple[Any, ...]:
    """The values of UPDATE."""
    return (*(column.to_row(getattr(message, column.field)) for column in CHANGING), room_id, message.seq)


def message_of(row: tuple[Any, ...]) -> events.Message:
    """One row of SELECTED, or of SELECT without its first column, as a message."""
    room, author, *values = row
    fields = {column.field: column.of_row(value) for column, value in zip(COLUMNS, values, strict=True)}
    return events.Message(room=room, author=author, **fields)


def states(messages: QuerySet[Message]) -> Iterator[Change]:
    """The messages of a query, in its order, encoded; read as they are wanted, because long ones soon fill a page."""
    return (change_of(message_of(row)) for row in messages.values_list(*SELECTED).iterator(chunk_size=ROWS_AT_ONCE))


def change_of(message: events.Message, blob: bytes | None = None, event: bytes | None = None) -> Change:
    """A message in its newest state, as the hub delivers it. `event`: what is told live, where that is less."""
    return Change(message.version, message.seq, codec.encode(message), blob, event, message.ordinal)
