"""A room, its number line, and who may see it."""

from __future__ import annotations

import secrets
import string

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .keeping import leaving_alone
from .sort_key import SortKeyField

EPOCH_ALPHABET = string.ascii_lowercase + string.digits


def new_epoch() -> str:
    """A short random string; a restored database gets a new one, so that clients load afresh."""
    return "".join(secrets.choice(EPOCH_ALPHABET) for _ in range(8))


class Room(models.Model):
    """A room. `head` is its latest change; `posts` its last message, counted from 1 without holes."""

    slug = models.SlugField(_("address"), max_length=64, unique=True, allow_unicode=True)
    title = models.CharField(_("title"), max_length=80)
    sort_key = SortKeyField()
    is_private = models.BooleanField(_("private"), default=False, help_text=_("Only members see that it exists."))
    head = models.BigIntegerField(default=0, editable=False)
    posts = models.BigIntegerField(default=0, editable=False)
    floor = models.BigIntegerField(default=0, editable=False)
    epoch = models.CharField(max_length=8, default=new_epoch, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members: models.ManyToManyField = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="rooms"
    )

    class Meta:
        ordering = ["sort_key", "title"]
        indexes = [models.Index(fields=["sort_key", "title"], name="rooms_in_order")]
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self):
        return self.title

    def save(self, *args, **kwargs):
        super().save(*args, **leaving_alone(self, kwargs, "head", "posts", "floor", "epoch"))
