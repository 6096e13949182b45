"""A message, and the nonces of its changes. Their rows are written by messages/ledger.py alone.

A room's `head` numbers every change made in it (created, edited, deleted, reacted). A message carries two of those
numbers: `seq`, its place in the room for ever, and `version`, its latest change. Besides, its `ordinal` counts messages
alone, 1, 2, 3 without holes: how many somebody has not read is a difference.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .room import Room


class Message(models.Model):
    """One message as it is now: the row is both the message and its history of change."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    seq = models.BigIntegerField()
    ordinal = models.BigIntegerField()
    version = models.BigIntegerField()
    nonce = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True, db_default="", editable=False)
    binary_bytes = models.PositiveIntegerField(null=True, help_text=_("Came as a binary frame of this size."))
    reactions = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="one_place"),
            models.UniqueConstraint(fields=["room", "ordinal"], name="one_ordinal"),
            models.UniqueConstraint(fields=["room", "version"], name="one_change_a_number"),
            models.UniqueConstraint(fields=["room", "author", "nonce"], name="once"),
        ]
        indexes = [models.Index(fields=["author", "created_at"], name="rate_of_an_author")]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self):
        return f"{self.room} {self.seq}"


class ChangeNonce(models.Model):
    """The author's own name for an edit, a deletion or a reaction, and the answer it got: its repeats get it again.

    Rows go by age, with whatever room or user they were about: plain numbers, which nothing else has to wait for.
    """

    room_id = models.BigIntegerField()
    author_id = models.BigIntegerField()
    nonce = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    version = models.BigIntegerField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room_id", "author_id", "nonce"], name="changed_once")]

    def __str__(self):
        return f"room {self.room_id}, user {self.author_id}, {self.nonce}"
