"""Who may do what in a room: each rule in Python, and beside it in SQL where a query asks it.

A role is one of Membership.Role, or None for somebody without a place in the room.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from chat.models import Membership, Room
from chat.wire.refusals import BANNED, NO_SUCH_ROOM, Refusal

Role = Membership.Role
BELONGS = (Role.MEMBER, Role.MODERATOR)


def belonging(role: str | None) -> str | None:
    """The role of somebody who belongs to the room; None for others, who have been there or may not be."""
    return role if role in BELONGS else None


def may_see(is_private: bool, role: str | None) -> bool:
    """See that the room exists, and what is said in it."""
    return role in BELONGS if is_private else role != Role.BANNED


def kept_out(is_private: bool) -> Refusal:
    """What somebody hears who may not see a room: a private one does not exist, from an open one they are banned."""
    return Refusal(*(NO_SUCH_ROOM if is_private else BANNED))


def visible_rooms(user_id: int) -> QuerySet[Room]:
    """`may_see` in SQL: the rooms that this user may see."""
    places = Membership.objects.filter(user=user_id)
    belongs = places.filter(role__in=BELONGS)
    banned = places.filter(role=Role.BANNED)
    return Room.objects.filter(
        Q(pk__in=belongs.values("room")) | Q(is_private=False) & ~Q(pk__in=banned.values("room"))
    )


def may_post(is_private: bool, role: str | None) -> bool:
    """Write in the room, and react in it."""
    return may_see(is_private, role)


def may_moderate(role: str | None) -> bool:
    """Delete what others wrote."""
    return role == Role.MODERATOR
