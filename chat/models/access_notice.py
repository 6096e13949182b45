"""What may have been taken away from somebody: written with the change that takes it away, read by every process.

Signals, not save(): deletions in the admin and cascades never call a model's methods; a way round would be a way in.
"""

from __future__ import annotations

from django.contrib import auth
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from accounts.identity import session_fingerprint
from accounts.models import User

from .membership import Membership
from .room import Room


class AccessNotice(models.Model):
    """Something may have been taken away: every process looks again at this user, session or room.

    Written in the transaction that takes it away, read twice a second by every process: a revocation is not a
    message that a courier may lose.
    """

    user_id = models.BigIntegerField(null=True)
    room_id = models.BigIntegerField(null=True)
    session = models.CharField(
        max_length=16,
        blank=True,
        help_text="Fingerprint of a session that ended; of a user, where they did not sign out.",
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self):
        return f"user {self.user_id}, room {self.room_id}, session {self.session}"


@receiver(post_save, sender=User)
def _user_changed(instance: User, created: bool, update_fields: frozenset[str] | None, **_: object) -> None:
    if not created and update_fields != {"last_login"}:
        AccessNotice.objects.create(user_id=instance.pk)


@receiver(post_delete, sender=User)
def _user_deleted(instance: User, **_: object) -> None:
    AccessNotice.objects.create(user_id=instance.pk)


@receiver([post_save, post_delete], sender=Membership)
def _membership_changed(instance: Membership, **_: object) -> None:
    AccessNotice.objects.create(user_id=instance.user_id)


@receiver([post_save, post_delete], sender=Room)
def _room_changed(instance: Room, **_: object) -> None:
    AccessNotice.objects.create(room_id=instance.pk)


@receiver(post_delete, sender=Session)
def _session_ended(instance: Session, **_: object) -> None:
    """Signed in over it at another door, flushed, deleted: however a session of somebody ends before its time."""
    user_id = instance.get_decoded().get(auth.SESSION_KEY)
    if user_id and instance.expire_date > timezone.now():
        AccessNotice.objects.create(session=session_fingerprint(instance.session_key), user_id=int(user_id))


def note_logout(request=None, **_: object) -> None:
    """The session of this request ends: its sockets in every process are closed."""
    session_key = getattr(getattr(request, "session", None), "session_key", None)
    if session_key:
        AccessNotice.objects.create(session=session_fingerprint(session_key))
