"""Guests who came and left nothing: their names are free again after a while."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import names
from accounts.models import User
from chat.models import Membership, Message

UNCLAIMED_KEPT = timedelta(days=1)
AT_ONCE = 200


def unused_guests() -> QuerySet[User]:
    """Guests without a message or a reaction, who have not been here for as long as a session lasts.

    Somebody known by name alone, whom nobody can prove to be again, is kept for a day.
    """
    now = timezone.now()
    kept = Q(is_claimed=True, last_seen__lt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE))
    unclaimed = Q(is_claimed=False, last_seen__lt=now - UNCLAIMED_KEPT)
    seen = User.objects.annotate(last_seen=Coalesce("last_login", "date_joined"))
    return seen.filter(kept | unclaimed, is_guest=True, is_staff=False).exclude(has_spoken())


def has_spoken() -> Q:
    """Whether messages or reactions carry the name."""
    wrote = Exists(Message.objects.filter(author=OuterRef("pk")))
    reacted = Exists(Membership.objects.filter(user=OuterRef("pk"), has_reacted=True))
    return Q(wrote) | Q(reacted)


def forget_unused_guests() -> int:
    """Some at a time; returns how many went."""
    found = list(unused_guests()[:AT_ONCE])
    for guest in found:
        guest.delete()
    return len(found)


def free_name(name: str) -> None:
    """The name is wanted: an unused guest who has it goes now."""
    unused_guests().filter(name_key=names.key(name)).delete()
