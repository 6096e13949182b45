"""The forms of the doors: entering as a guest, signing up and in, keeping a name, changing a password."""

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from . import names
from .models import User, validate_is_not_reserved, validate_name

# names.py knows no Django; its sentences are marked for translation here.
NAME_RULES = (
    gettext_noop("Names can be up to 32 characters."),
    gettext_noop("Use letters, digits, and . _ - (no spaces)."),
    gettext_noop("Names must start and end with a letter or a digit."),
    gettext_noop("A name keeps to one alphabet."),
)

PASSWORD_HELP = _("At least 8 characters. Avoid common passwords and numbers only.")


class LengthValidator(MinimumLengthValidator):
    """Django's, in words that are translated: its own sentence for a short password is English in every language."""

    def get_error_message(self) -> str:
        sentence = _("This password is too short. It must contain at least %(min_length)d characters.")
        return sentence % {"min_length": self.min_length}


class EnterForm(forms.Form):
    """A name is all that a guest gives."""

    name = forms.CharField(
        label=_("Your name"),
        validators=[validate_name, validate_is_not_reserved],
        widget=forms.TextInput(
            attrs={
                "autocomplete": "nickname",
                "autocapitalize": "off",
                "autofocus": True,
                "spellcheck": "false",
                "dir": "auto",
                "maxlength": names.LENGTH_LIMIT,
            }
        ),
    )

    def clean_name(self) -> str:
        return names.check(self.cleaned_data["name"])

    def guest(self) -> User | None:
        """The person who enters by this name: somebody new, or somebody known by name alone until now.

        None, with an error on the field, when the name is somebody else's.
        """
        name = self.cleaned_data["name"]
        try:
            with transaction.atomic():
                return User.objects.create_guest(name)
        except IntegrityError:
            return self._take_over(name)

    def _take_over(self, name: str) -> User | None:
        unclaimed = User.objects.filter(name_key=names.key(name), is_claimed=False, is_active=True)
        if not unclaimed.update(is_claimed=True):
            self.add_error("name", _("“%(name)s” is taken. If it's yours, sign in.") % {"name": name})
            return None
        guest = User.objects.by_name(name)
        guest.set_unusable_password()  # A new stamp: who is connected by the name alone has to leave.
        guest.save(update_fields=["password"])
        return guest


class LoginForm(allauth_forms.LoginForm):
    """Signing in with the name in any spelling that is the same name."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _ask_for_name(self.fields["login"])
        _ask_for_password(self.fields["password"], _("Password"))

    @property
    def is_signup_open(self) -> bool:
        return get_adapter().is_open_for_signup(self.request)

    def clean_login(self) -> str:
        """One key per name, so that attempts on it are counted together."""
        return names.key(super().clean_login())


class SignupForm(allauth_forms.SignupForm):
    """A name and a password."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _ask_for_name(self.fields["username"])
        _ask_for_password(self.fields["password1"], _("Password"), PASSWORD_HELP)


class ChangePasswordForm(allauth_forms.ChangePasswordForm):
    """The old password and a new one, typed once."""

    password2 = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _ask_for_password(self.fields["oldpassword"], _("Current password"))
        _ask_for_password(self.fields["password1"], _("New password"), PASSWORD_HELP)


class KeepForm(allauth_forms.SetPasswordForm):
    """A password makes a guest a full account, with the same name and messages."""

    password2 = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _ask_for_password(self.fields["password1"], _("Password"), PASSWORD_HELP)

    def save(self) -> None:
        self.user.is_guest = False
        super().save()


def _ask_for_name(field: forms.Field) -> None:
    field.label = _("Name")
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs |= {"autocapitalize": "off", "spellcheck": "false", "dir": "auto"}


def _ask_for_password(field: forms.Field, label, help_text="") -> None:
    field.label = label
    field.help_text = help_text
    field.widget.attrs.pop("placeholder", None)
