"""Who somebody is: an account, or a guest who chose a name."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from . import names


def validate_name(name: str) -> None:
    """The rules of names.py as a validator of forms and of createsuperuser."""
    try:
        names.check(name)
    except names.BadName as problem:
        raise ValidationError(_(str(problem))) from problem


class PeopleManager(UserManager["User"]):
    """Finds people by name whatever its case, and makes guests."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.by_name(username or "")

    def by_name(self, name: str) -> User:
        return self.get(name_key=names.key(name))

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
