"""Whether people who were admitted are still who they were, with the sessions that they came with."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib.sessions.models import Session
from django.utils import timezone

from .identity import stamp
from .models import User


class Standing(NamedTuple):
    """What is true now of some people: who may stay, with which stamp, with which sessions."""

    stamps: dict[int, str]
    disabled: set[int]
    sessions: set[str]


def standing(user_ids: set[int], session_keys: set[str]) -> Standing:
    """Check people and sessions again. A user who is not in `stamps` or `disabled` is gone."""
    users = list(User.objects.filter(pk__in=user_ids).only("is_active", "password"))
    return Standing(
        stamps={user.pk: stamp(user) for user in users if user.is_active},
        disabled={user.pk for user in users if not user.is_active},
        sessions=_still_open(session_keys),
    )


def _still_open(session_keys: set[str]) -> set[str]:
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    return set(sessions.values_list("session_key", flat=True))
