"""Pages for what goes wrong outside of the views: the database is away, or the site is asked for by another address."""

import logging
import sys

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error as usual_server_error

logger = logging.getLogger("chatsite.trouble")

RETRY_AFTER_S = 5


def is_database_away(error: BaseException | None) -> bool:
    """Away, locked, full, or too slow: anything that passes without a change of ours."""
    return isinstance(error, DatabaseError | InterfaceError) and type(error).__name__ in (
        "OperationalError",
        "InterfaceError",
        "PoolTimeout",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """A database that is away is no fault of the page: it says when to come back."""
    if not is_database_away(sys.exc_info()[1]):
        return usual_server_error(request)
    page = loader.render_to_string("503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"})


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Most often a page that was open for long; behind a proxy also a site that does not know its own address."""
    is_misconfigured = "Origin checking" in reason or "Referer checking" in reason
    if is_misconfigured:
        came_from = request.headers.get("Origin") or request.headers.get("Referer") or "nowhere"
        known_as = settings.CHAT_ORIGINS[0] if settings.CHAT_ORIGINS else f"{request.scheme}://{request.get_host()}"
        logger.warning(
            "refused %s: the page is at %.100r and the request came for %r; if people type the first, set PUBLIC_URL"
            " to it and let the proxy pass Host and X-Forwarded-Proto",
            request.path,
            came_from,
            known_as,
        )
    page = loader.render_to_string("403_csrf.html", {"is_misconfigured": is_misconfigured}, request)
    return HttpResponse(page, status=403)
