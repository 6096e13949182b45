"""What every page request passes."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import sessions
from accounts.session_store import SessionStore


def without_odd_session(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A session cookie with a NUL in it is none: PostgreSQL would refuse to look for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        return get_response(request)

    return middleware


def with_moving_session(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A session that is used does not end: it is kept again once a day, with its cookie."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        session = cast(SessionStore, request.session)
        if session.session_key and session.has_aged() and request.user.is_authenticated:
            session.modified = True
            sessions.note_seen({request.user.pk})
        return response

    return middleware
