"""A guest comes in by choosing a name: once, however often the button is pressed."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from . import names
from .models import User

# A second click, on a slow line, comes within this time, and from the same browser.
SAME_CLICK_S = 120


def remember(request: HttpRequest, user: User) -> None:
    """This browser has just made this user. In the transaction that makes it: both are there, or neither."""
    if key := _key(request, user.username):
        cache.set(key, user.pk, SAME_CLICK_S)


def just_made(request: HttpRequest, name: str) -> User | None:
    """The user of that name, if this browser made it a moment ago and has not heard of it yet."""
    user_id = cache.get(key) if (key := _key(request, name)) else None
    return User.objects.filter(pk=user_id, is_active=True).first() if user_id else None


def _key(request: HttpRequest, name: str) -> str | None:
    """The secret of the CSRF cookie is what a browser has before it is anybody."""
    secret = request.COOKIES.get(settings.CSRF_COOKIE_NAME)
    said = f"{secret} {names.key(name)}".encode(errors="replace")
    return f"entered.{hashlib.sha256(said).hexdigest()}" if secret else None
