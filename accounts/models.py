"""Who somebody is: an account, or a guest who chose a name."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from . import lookalikes, names


def validate_name(name: str) -> None:
    """The rules of names.py as a validator of forms and of createsuperuser."""
    try:
        names.check(name)
    except names.BadName as problem:
        raise ValidationError(_(str(problem))) from problem


def validate_is_not_reserved(name: str) -> None:
    """For those who choose a name themselves; an administrator may give any."""
    if lookalikes.is_reserved(name):
        raise ValidationError(_("This name is reserved. Choose another one."))


def normal_password(password: str) -> str:
    """One password however a keyboard composes it (NIST SP 800-63B, 3.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password)


class PeopleManager(UserManager["User"]):
    """Finds people by name whatever its case, and makes guests."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.by_name(username or "")

    def by_name(self, name: str) -> User:
        return self.get(name_key=names.key(name))

    def are_there_like(self, name: str, except_id: int | None = None) -> bool:
        """Whether somebody has this name, or one that looks like it."""
        same = Q(name_key=names.key(name)) | Q(look_key=lookalikes.look(name))
        others = self if except_id is None else self.exclude(pk=except_id)
        return others.filter(same).exists()

    def create_guest(self, name: str, claimed: bool = True) -> User:
        """A user without a password. Unclaimed: known by name alone, whoever gives the name is it."""
        guest = self.model(username=names.check(name), is_guest=True, is_claimed=claimed)
        guest.set_unusable_password()
        guest.save(using=self._db)
        return guest


class User(AbstractUser):
    """Somebody with a name. The name stays for life: messages and reactions carry it."""

    username = models.CharField(_("name"), max_length=names.LENGTH_LIMIT, unique=True, validators=[validate_name])
    name_key = models.CharField(max_length=4 * names.LENGTH_LIMIT, unique=True, editable=False)
    look_key = models.CharField(max_length=4 * names.LENGTH_LIMIT, unique=True, editable=False)
    is_guest = models.BooleanField(
        _("guest"), default=False, help_text=_("Entered by choosing a name; has no password.")
    )
    is_claimed = models.BooleanField(
        _("claimed"), default=True, help_text=_("If off, anyone who enters this name can use it.")
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
        self.name_key, self.look_key = names.key(self.username), lookalikes.look(self.username)
        super().save(*args, **kwargs)

    def clean(self):
        super().clean()
        if User.objects.are_there_like(self.username, except_id=self.pk):
            raise ValidationError({"username": _("This name is taken.")})

    def set_password(self, raw_password):
        super().set_password(None if raw_password is None else normal_password(raw_password))

    def check_password(self, raw_password):
        """In its normal form; as it was typed too, for those that were set before there was one."""
        return super().check_password(normal_password(raw_password)) or super().check_password(raw_password)
