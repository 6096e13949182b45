"""What the scope of a connection says: its headers, cookies, query and subprotocols."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from django.http.cookie import parse_cookie

from chat.wire import codec

Scope = dict[str, Any]
DEFAULT_ROOM = "lobby"


def room_asked(scope: Scope) -> str:
    """The room of a simple dialect."""
    return asked(scope, "room") or DEFAULT_ROOM


def header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None


def cookies(scope: Scope) -> dict[str, str]:
    """A proxy that speaks HTTP/2 to the browser may send several lines of them."""
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key == b"cookie"]
    return parse_cookie("; ".join(lines))


def address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "-"


def asked(scope: Scope, key: str) -> str | None:
    """What the query says."""
    return parse_qs(scope["query_string"].decode("latin-1")).get(key, [None])[0]


def offered_subprotocols(scope: Scope) -> list[str]:
    return [name for name in scope["subprotocols"] if not name.startswith(codec.TICKET_PREFIX)]


def offered_ticket(scope: Scope) -> str | None:
    prefix = codec.TICKET_PREFIX
    return next((offer.removeprefix(prefix) for offer in scope["subprotocols"] if offer.startswith(prefix)), None)
