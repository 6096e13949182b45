"""What programs fetch over HTTP. Answers are JSON, errors are {"error": {"code", "message"}}."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from accounts import tickets


@never_cache
def ticket(request: HttpRequest) -> JsonResponse:
    """A ticket for the socket, for whoever is signed in."""
    if request.method != "POST":
        return _error(405, "method_not_allowed", "Send a POST.", headers={"Allow": "POST"})
    if not request.user.is_authenticated:
        return _error(401, "not_signed_in", "Sign in first.")
    issued = tickets.issue_ticket(request.user, request.session)
    return JsonResponse({"ticket": issued, "expires_in": tickets.TICKET_LIFETIME_S})


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status, headers=headers)


def socket_only(request: HttpRequest) -> HttpResponse:
    """The sockets' addresses, asked for as a page."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    return HttpResponse(
        "This endpoint only accepts WebSocket connections.\n", "text/plain", status=426, headers=headers
    )
