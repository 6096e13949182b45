"""What is kept: people, rooms, messages, and who belongs to which room.

A room's `head` numbers every change made in it (created, edited, deleted, reacted). A message carries two of
those numbers: `seq`, its place in the conversation for ever, and `version`, its latest change.
Rows of messages, and the nonces of their changes, are written by ledger.py alone.
"""

import secrets
import string
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import names

EPOCH_ALPHABET = string.ascii_lowercase + string.digits


def new_epoch() -> str:
    """A short random string; a restored database gets a new one, so that clients load afresh."""
    return "".join(secrets.choice(EPOCH_ALPHABET) for _ in range(8))


def validate_name(name: str) -> None:
    """The rules of names.py as a validator of forms and of createsuperuser."""
    try:
        names.check(name)
    except names.BadName as problem:
        raise ValidationError(_(str(problem))) from problem


def _leaving_alone(row: models.Model, kwargs: dict[str, Any], *moving: str) -> dict[str, Any]:
    """Arguments of save() that never put back what moves under it: numbers that others have moved on since."""
    if row._state.adding or kwargs.get("update_fields") is not None:
        return kwargs
    fields = {field.name for field in row._meta.concrete_fields if not field.primary_key}
    return {**kwargs, "update_fields": fields - set(moving)}


class PeopleManager(UserManager["User"]):
    """Finds people by name whatever its case, and makes guests."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.by_name(username or "")

    def by_name(self, name: str) -> "User":
        return self.get(name_key=names.key(name))

    def create_guest(self, name: str, claimed: bool = True) -> "User":
        """A user without a password. Unclaimed: known by name alone, whoever gives the name is it."""
        guest = self.model(username=names.check(name), is_guest=True, is_claimed=claimed)
        guest.set_unusable_password()
        guest.save(using=self._db)
        return guest


class User(AbstractUser):
    """Somebody with a name. The name stays for life: messages and reactions carry it."""

    username = models.CharField(_("name"), max_length=names.LENGTH_LIMIT, unique=True, validators=[validate_name])
    name_key = models.CharField(max_length=4 * names.LENGTH_LIMIT, unique=True, editable=False)
    is_guest = models.BooleanField(
        _("guest"), default=False, help_text=_("Entered by choosing a name; has no password.")
    )
    is_claimed = models.BooleanField(
        _("claimed"), default=True, help_text=_("Off: known by name alone; whoever gives the name is it.")
    )

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    @property
    def may_keep_name(self) -> bool:
        """A guest may become an account where everybody may make one."""
        return self.is_guest and settings.CHAT_SIGNUP == "open"

    def save(self, *args, **kwargs):
        self.name_key = names.key(self.username)
        super().save(*args, **kwargs)

    def clean(self):
        super().clean()
        if User.objects.exclude(pk=self.pk).filter(name_key=names.key(self.username)).exists():
            raise ValidationError({"username": _("This name is taken.")})


class Room(models.Model):
    """A conversation, its number line, and who may see it."""

    slug = models.SlugField(_("address"), max_length=64, unique=True, allow_unicode=True)
    title = models.CharField(_("title"), max_length=80, db_index=True)
    is_private = models.BooleanField(_("private"), default=False, help_text=_("Only members see that it exists."))
    head = models.BigIntegerField(default=0, editable=False)
    floor = models.BigIntegerField(default=0, editable=False)
    epoch = models.CharField(max_length=8, default=new_epoch, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members: models.ManyToManyField = models.ManyToManyField(User, through="Membership", related_name="rooms")

    class Meta:
        ordering = ["title"]
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self):
        return self.title

    def save(self, *args, **kwargs):
        super().save(*args, **_leaving_alone(self, kwargs, "head", "floor", "epoch"))


class Membership(models.Model):
    """Somebody's place in a room: a role, and how far they have read. A ban is a role too.

    A visitor has read in an open room; that gives no right to it should it become private.
    """

    class Role(models.TextChoices):
        VISITOR = "visitor", _("visitor")
        MEMBER = "member", _("member")
        MODERATOR = "moderator", _("moderator")
        BANNED = "banned", _("banned")

    room = models.ForeignKey(Room, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    read_seq = models.BigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="one_membership")]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self):
        return f"{self.user} · {self.room}"

    def save(self, *args, **kwargs):
        super().save(*args, **_leaving_alone(self, kwargs, "read_seq"))


def may_see(is_private: bool, role: str | None) -> bool:
    """Does somebody with that role (None: no place at all) see a room, and what is said in it?"""
    if is_private:
        return role in (Membership.Role.MEMBER, Membership.Role.MODERATOR)
    return role != Membership.Role.BANNED


class Notice(models.Model):
    """Something may have been taken away: every process looks again at this user, session or room.

    Written in the transaction that takes it away, read twice a second by every process: a revocation is not a
    message that a courier may lose.
    """

    user_id = models.BigIntegerField(null=True)
    room_id = models.BigIntegerField(null=True)
    session = models.CharField(max_length=16, blank=True, help_text="Fingerprint of a session that ended.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self):
        return f"user {self.user_id}, room {self.room_id}, session {self.session}"


class Message(models.Model):
    """One message as it is now: the row is both the message and its history of change."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="messages", db_index=False)
    seq = models.BigIntegerField()
    version = models.BigIntegerField()
    nonce = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    binary_bytes = models.PositiveIntegerField(null=True, help_text=_("Came as a binary frame of this size."))
    reactions = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="one_place"),
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


# Signals, not save(): deletions in the admin and cascades never call a model's methods; a way round would be a way in.


@receiver(post_save, sender=User)
def _user_changed(instance: User, created: bool, update_fields: frozenset[str] | None, **_: object) -> None:
    if not created and update_fields != {"last_login"}:
        Notice.objects.create(user_id=instance.pk)


@receiver(post_delete, sender=User)
def _user_deleted(instance: User, **_: object) -> None:
    Notice.objects.create(user_id=instance.pk)


@receiver([post_save, post_delete], sender=Membership)
def _membership_changed(instance: Membership, **_: object) -> None:
    Notice.objects.create(user_id=instance.user_id)


@receiver([post_save, post_delete], sender=Room)
def _room_changed(instance: Room, **_: object) -> None:
    Notice.objects.create(room_id=instance.pk)
