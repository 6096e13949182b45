"""allauth by our rules: whose name is whose, and whether new accounts are welcome."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from . import entering, names
from .addresses import client_address, makes_claims
from .models import User, validate_is_not_reserved, validate_name


class AccountAdapter(DefaultAccountAdapter):
    """What allauth asks when somebody signs up, signs in or changes a password."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_taken": _("This name is taken."),
        "username_password_mismatch": _("Wrong name or password."),
        "too_many_login_attempts": _("Too many attempts. Try again in a few minutes."),
        "enter_current_password": _("That isn't your current password."),
    }

    def is_open_for_signup(self, request) -> bool:
        return settings.CHAT_SIGNUP == "open"

    def clean_username(self, username: str, shallow: bool = False) -> str:
        validate_name(username)
        validate_is_not_reserved(username)
        is_taken = not shallow and User.objects.are_there_like(names.check(username))
        if is_taken and entering.just_made(self.request, username) is None:
            raise self.validation_error("username_taken")
        return names.check(username)

    def save_user(self, request, user, form, commit=True):
        """Two sign-ups with one name at one moment: the second is asked for another."""
        try:
            with transaction.atomic():
                saved = super().save_user(request, user, form, commit)
                entering.remember(request, saved)
                return saved
        except IntegrityError:
            raise ImmediateHttpResponse(self._signed_up_twice(request, form)) from None

    def _signed_up_twice(self, request, form) -> HttpResponse:
        """The same browser, which pressed the button again, is in; anybody else is asked for another name."""
        made = entering.just_made(request, form.cleaned_data["username"])
        if made is None or not made.check_password(form.cleaned_data["password1"]):
            messages.error(request, self.error_messages["username_taken"])
            return redirect("account_signup")
        login(request, made, backend=settings.AUTHENTICATION_BACKENDS[0])
        return HttpResponseRedirect(self.get_signup_redirect_url(request))

    def get_client_ip(self, request) -> str:
        """Behind a proxy, as it says; never an exception, which would keep everybody out."""
        return client_address(request.META.get("REMOTE_ADDR"), _forwarded(request))

    def makes_claims(self, request) -> bool:
        return makes_claims(_forwarded(request))

    def _get_login_attempts_cache_key(self, request, **credentials) -> str:
        """A name's attempts are counted by address: nobody keeps somebody else out of their account."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)} {self.get_client_ip(request)}"

    def is_safe_url(self, url) -> bool:
        """A page of ours, by its path; anything else would be taken for the name of a view."""
        return bool(url) and url.startswith("/") and super().is_safe_url(url)

    def get_password_change_redirect_url(self, request) -> str:
        return reverse("home")


def _forwarded(request) -> str | None:
    """What proxies say, where there are any."""
    return request.headers.get("X-Forwarded-For") if settings.CHAT_ORIGINS else None
