"""Somebody's place in a room."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .keeping import leaving_alone
from .room import Room


class Membership(models.Model):
    """Somebody's place in a room: a role, and how far they have read. A ban is a role too.

    A visitor has read in an open room; that gives no right to it should it become private.
    """

    class Role(models.TextChoices):
        VISITOR = "visitor", _("visitor")
        MEMBER = "member", _("member")
        MODERATOR = "moderator", _("moderator")
        BANNED = "banned", _("banned")

    room = models.ForeignKey(Room, on_delete=models.CASCADE, db_index=False)  # the constraint begins with it
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    read_ordinal = models.BigIntegerField(default=0, editable=False)
    has_reacted = models.BooleanField(default=False, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="one_membership")]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self):
        return f"{self.user} · {self.room}"

    def save(self, *args, **kwargs):
        super().save(*args, **leaving_alone(self, kwargs, "read_ordinal"))
