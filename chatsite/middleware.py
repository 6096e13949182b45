"""What every page request passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from accounts import sessions
from accounts.session_store import SessionStore, own_cookie_name, session_key

GetResponse = Callable[[HttpRequest], HttpResponse]

HEALTH = "/healthz"
TRADITIONAL = re.compile(r"\s*zh-(hant|tw|hk|mo)\b", re.IGNORECASE)


def answering_probes(get_response: GetResponse) -> GetResponse:
    """A probe asks whether this process answers; by which name it asks does not matter."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == HEALTH:
            return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})
        return get_response(request)

    return middleware


def without_traditional_chinese(get_response: GetResponse) -> GetResponse:
    """Django gives Simplified Chinese to readers of Traditional; they read their next choice more easily."""

    def middleware(request: HttpRequest) -> HttpResponse:
        wanted = request.META.get("HTTP_ACCEPT_LANGUAGE", "")
        kept = [tag for tag in wanted.split(",") if not TRADITIONAL.match(tag)]
        request.META["HTTP_ACCEPT_LANGUAGE"] = ",".join(kept)
        return get_response(request)

    return middleware


class SiteSessionMiddleware(SessionMiddleware):
    """Sessions under a cookie of this site's own, beside the usual one.

    Browsers send a host's cookies to all of its ports, and two sites on one host would sign each other out.
    """

    def process_request(self, request: HttpRequest) -> None:
        key = session_key(request.COOKIES)
        request.session = self.SessionStore(key)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        usual, own = settings.SESSION_COOKIE_NAME, own_cookie_name()
        if usual in response.cookies and (response.cookies[usual].value or own in request.COOKIES):
            response.cookies[own] = response.cookies[usual].value
            response.cookies[own].update(dict(response.cookies[usual]))
        elif usual in response.cookies:
            del response.cookies[usual]  # of another site: not ours to take away
        return response


def with_moving_session(get_response: GetResponse) -> GetResponse:
    """A session that is used does not end: it is kept again once a day, with its cookie."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        session = cast(SessionStore, request.session)
        if session.session_key and session.has_aged() and request.user.is_authenticated:
            session.modified = True
            sessions.note_seen({request.user.pk})
        return response

    return middleware
