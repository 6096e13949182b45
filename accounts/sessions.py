"""Whether people who were admitted are still who they were; and their sessions, which go on while they are used."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.models import Session
from django.utils import timezone

from .identity import stamp
from .models import User
from .session_store import KEPT_AGAIN_AFTER

EXPIRED_AT_ONCE = 1_000


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


def move_on(session_keys: set[str]) -> None:
    """People who are connected use their sessions, and are here: once a day both are noted."""
    now = timezone.now()
    soon = Session.objects.filter(session_key__in=session_keys, expire_date__gt=now)
    seen = set()
    for row in soon.filter(expire_date__lt=now + timedelta(seconds=settings.SESSION_COOKIE_AGE) - KEPT_AGAIN_AFTER):
        said = row.get_decoded()
        row.expire_date = now + timedelta(seconds=said.get("_session_expiry") or settings.SESSION_COOKIE_AGE)
        row.save(update_fields=["expire_date"])
        seen.add(said.get(auth.SESSION_KEY))
    note_seen({int(user_id) for user_id in seen if user_id})


def note_seen(user_ids: set[int]) -> None:
    """Not by save(), which would have everybody's connections checked again."""
    User.objects.filter(pk__in=user_ids).update(last_login=timezone.now())


def forget_expired() -> None:
    """Some at a time."""
    keys = Session.objects.filter(expire_date__lt=timezone.now()).values_list("session_key", flat=True)
    Session.objects.filter(session_key__in=list(keys[:EXPIRED_AT_ONCE])).delete()


def _still_open(session_keys: set[str]) -> set[str]:
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    return set(sessions.values_list("session_key", flat=True))
