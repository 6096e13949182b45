"""How far people have read, as ordinals of messages: moved forward, never back, never past the last message."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection
from django.db.models import Max

from chat.models import Membership, Message

Place = tuple[int, int]  # user, room
ROWS_AT_ONCE = 200


def keep(positions: Mapping[Place, int]) -> None:
    """Write where each of these people has read to in each of these rooms; people and rooms that are gone do not count.

    A reader without a place in the room takes one as a visitor.
    """
    places = sorted(positions.items())
    for start in range(0, len(places), ROWS_AT_ONCE):
        _keep(places[start : start + ROWS_AT_ONCE])


def _keep(places: list[tuple[Place, int]]) -> None:
    rows = " UNION ALL ".join(["SELECT %s AS user_id, %s AS room_id, %s AS ordinal"] * len(places))
    least = "min" if connection.vendor == "sqlite" else "least"
    sql = (
        "INSERT INTO chat_membership (room_id, user_id, role, read_ordinal, has_reacted)"
        f" SELECT room.id, reader.id, %s, {least}(said.ordinal, room.posts), FALSE FROM ({rows}) said"
        " JOIN chat_room room ON room.id = said.room_id JOIN accounts_user reader ON reader.id = said.user_id"
        " WHERE true ON CONFLICT (room_id, user_id) DO UPDATE SET read_ordinal = excluded.read_ordinal"
        " WHERE chat_membership.read_ordinal < excluded.read_ordinal"
    )
    values = [value for (user_id, room_id), ordinal in places for value in (user_id, room_id, ordinal)]
    with connection.cursor() as cursor:
        cursor.execute(sql, [Membership.Role.VISITOR, *values])


def ordinal_at(room_id: int, seq: int) -> int:
    """The ordinal of the last message at or before that place; 0 where there is none."""
    found = Message.objects.filter(room=room_id, seq__lte=seq).aggregate(ordinal=Max("ordinal"))
    return found["ordinal"] or 0
