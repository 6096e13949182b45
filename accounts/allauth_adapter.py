"""allauth by our rules: whose name is whose, and whether new accounts are welcome."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from . import names
from .models import User, validate_name


class AccountAdapter(DefaultAccountAdapter):
    """What allauth asks when somebody signs up, signs in or changes a password."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_taken": _("This name is taken."),
        "username_password_mismatch": _("This name and this password do not belong together."),
        "too_many_login_attempts": _("Too many failed attempts. Wait a few minutes and try again."),
        "enter_current_password": _("This is not your current password."),
    }

    def is_open_for_signup(self, request) -> bool:
        return settings.CHAT_SIGNUP == "open"

    def clean_username(self, username: str, shallow: bool = False) -> str:
        validate_name(username)
        if not shallow and User.objects.filter(name_key=names.key(username)).exists():
            raise self.validation_error("username_taken")
        return names.check(username)

    def save_user(self, request, user, form, commit=True):
        """Two sign-ups with one name at one moment: the second is asked for another."""
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError:
            messages.error(request, self.error_messages["username_taken"])
            raise ImmediateHttpResponse(redirect("account_signup")) from None

    def get_password_change_redirect_url(self, request) -> str:
        return reverse("home")
