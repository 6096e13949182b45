"""The rooms that somebody may see, as they stand and how far they have been read."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

from accounts.text import is_storable
from chat import limits
from chat.models import Membership, Room

from .permissions import belonging, kept_out, may_see


class RoomView(NamedTuple):
    """A room that somebody may see. `last` and `read` are ordinals: the last message, and the last one read.

    `role`: theirs in it, if they belong there.
    """

    id: int
    slug: str
    title: str
    head: int
    last: int
    read: int
    role: str | None = None


def own_rooms(user_ids: list[int]) -> dict[int, list[RoomView]]:
    """The rooms in which each of these users has a place, HELLO_ROOMS at most, in order; one query for all."""
    found: dict[int, list[RoomView]] = {user_id: [] for user_id in user_ids}
    places = Membership.objects.filter(user__in=user_ids).order_by("room__sort_key", "room__title", "room")
    columns = ("user", "role", "read_ordinal", "room", "room__slug", "room__title", "room__is_private", "room__head")
    for user_id, role, read, id, slug, title, is_private, head, posts in places.values_list(*columns, "room__posts"):
        if may_see(is_private, role) and len(found[user_id]) < limits.HELLO_ROOMS:
            found[user_id].append(RoomView(id, slug, title, head, posts, read, belonging(role)))
    return found


ROOM = (
    "SELECT room.id, room.title, room.is_private, room.head, room.posts, place.role, place.read_ordinal"
    " FROM chat_room room"
    " LEFT JOIN chat_membership place ON place.room_id = room.id AND place.user_id = %s WHERE room.slug = %s"
)


def room(user_id: int, slug: str) -> RoomView:
    """The room, if this user may see it; otherwise why not. One indexed query."""
    if not is_storable(slug):
        raise kept_out(is_private=True)
    with connection.cursor() as cursor:
        cursor.execute(ROOM, [user_id, slug])
        found = cursor.fetchone()
    if found is None:
        raise kept_out(is_private=True)
    id, title, is_private, head, posts, role, read = found
    if not may_see(is_private, role):
        raise kept_out(is_private)
    return RoomView(id, slug, title, head, posts, read or 0, belonging(role))


def still_visible(places: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of these places (user, room) in which the user may still see the room."""
    user_ids, room_ids = {user_id for user_id, _ in places}, {room_id for _, room_id in places}
    is_private = dict(Room.objects.filter(pk__in=room_ids).values_list("pk", "is_private"))
    memberships = Membership.objects.filter(user__in=user_ids, room__in=room_ids)
    roles = {(user_id, room_id): role for user_id, room_id, role in memberships.values_list("user", "room", "role")}
    return {place for place in places if place[1] in is_private and may_see(is_private[place[1]], roles.get(place))}
