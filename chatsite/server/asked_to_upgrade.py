"""A request to become a WebSocket, before Daphne and autobahn see it: refused, or put into the one form that they read.

RFC 6455, section 4.2; RFC 9110, 7.8; RFC 9112, 3.2.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from twisted.web.http import Request

WEBSOCKET = b"websocket"
VERSION = b"13"
HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[^][/@?#\\\s:]+)(:[0-9]*)?")
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Refusal(NamedTuple):
    """An answer with an HTTP status instead of an upgrade, and the end of the connection: frames may follow it."""

    status: int
    words: bytes
    why: str
    headers: tuple[tuple[bytes, bytes], ...] = ((b"Connection", b"close"),)


WRONG_HOST = Refusal(400, b"Bad Request", "A request of HTTP/1.1 names one host.")
WITH_A_BODY = Refusal(400, b"Bad Request", "A request that asks for a WebSocket has no body.")
NO_SUBPROTOCOL = Refusal(400, b"Bad Request", "Sec-WebSocket-Protocol has to be a list of tokens.")
WRONG_VERSION = Refusal(
    426,
    b"Upgrade Required",
    "The version of the WebSocket has to be 13.",
    ((b"Upgrade", WEBSOCKET), (b"Connection", b"Upgrade, close"), (b"Sec-WebSocket-Version", VERSION)),
)


def use_origin_form(request: Request) -> None:
    """`GET http://host/path` is `GET /path` to that host, whatever its Host header says (RFC 9112, 3.2.2)."""
    scheme, separator, rest = request.uri.partition(b"://")
    if separator and scheme.lower() in (b"http", b"https", b"ws", b"wss"):
        host, _, path = rest.partition(b"/")
        request.requestHeaders.setRawHeaders(b"host", [host])
        request.uri = b"/" + path
        request.path = request.uri.partition(b"?")[0]


def refusal(request: Request) -> Refusal | None:
    """Why not; else None, and the headers of a request for a WebSocket have the form that Daphne and autobahn read."""
    hosts = request.requestHeaders.getRawHeaders(b"host", [])
    if request.clientproto != b"HTTP/1.0" and (len(hosts) != 1 or not HOST.fullmatch(hosts[0].strip())):
        return WRONG_HOST
    if not _asks_for_a_websocket(request):
        return None
    headers = request.requestHeaders
    if headers.hasHeader(b"transfer-encoding") or headers.getRawHeaders(b"content-length", [b"0"]) != [b"0"]:
        return WITH_A_BODY
    if [version.strip() for version in headers.getRawHeaders(b"sec-websocket-version", [])] != [VERSION]:
        return WRONG_VERSION
    if not all(TOKEN.fullmatch(name) for name in _list(request, b"sec-websocket-protocol")):
        return NO_SUBPROTOCOL
    _put_into_form(request)
    return None


def _asks_for_a_websocket(request: Request) -> bool:
    """Of several protocols that a client would change to, this is the one that we know. Nobody else is upgraded."""
    is_asked = WEBSOCKET in [name.lower() for name in _list(request, b"upgrade")] and request.clientproto != b"HTTP/1.0"
    if not is_asked:
        request.requestHeaders.removeHeader(b"upgrade")
    return is_asked


def _put_into_form(request: Request) -> None:
    """We have no extension: what is not looked at, however it is written, is declined."""
    request.requestHeaders.setRawHeaders(b"upgrade", [WEBSOCKET])
    request.requestHeaders.removeHeader(b"sec-websocket-extensions")
    if subprotocols := _list(request, b"sec-websocket-protocol"):
        request.requestHeaders.setRawHeaders(b"sec-websocket-protocol", [b", ".join(subprotocols)])
    else:
        request.requestHeaders.removeHeader(b"sec-websocket-protocol")


def _list(request: Request, name: bytes) -> list[bytes]:
    """The members of a header that is a list (RFC 9110, 5.6.1): empty ones count for nothing."""
    values = request.requestHeaders.getRawHeaders(name, [])
    return [member for value in values for one in value.split(b",") if (member := one.strip())]
