"""Who may do what in a room."""

from __future__ import annotations

from chat.models import Membership


def may_see(is_private: bool, role: str | None) -> bool:
    """Does somebody with that role (None: no place at all) see a room, and what is said in it?"""
    if is_private:
        return role in (Membership.Role.MEMBER, Membership.Role.MODERATOR)
    return role != Membership.Role.BANNED
