"""The way in for HTTP requests: a client may be slow, but not for ever, and may send much, but not without end."""

import logging
from http import HTTPStatus
from typing import Any

from daphne.http_protocol import WebRequest
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import ProtocolWrapper
from twisted.web import http

from .asked_to_upgrade import Refusal, refusal, use_origin_form
from .hooks import hook

logger = logging.getLogger("chatsite.server")

REQUEST_TIMEOUT_S = 60
REQUEST_LIMIT_BYTES = 64 * 1024 * 1024
PROGRESS_BYTES = 16 * 1024
NEXT_LINE = b"\x85"  # of Latin-1: the second byte of Å, х, 允 and many others in UTF-8

FORWARDED = (b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto")

TOO_LARGE = (413, "Content Too Large", "The request is too large.")
MALFORMED = (400, "Bad Request", "The request is malformed.")
URI_TOO_LONG = (414, "URI Too Long", "The address is too long.")
HEADERS_TOO_LARGE = (431, "Request Header Fields Too Large", "The headers are too large: cookies of this host, mostly.")
TOO_MANY_HEADERS = (431, "Request Header Fields Too Large", "There are too many headers.")


for status in HTTPStatus:  # Twisted does not know the words of all
    http.RESPONSES.setdefault(status.value, status.phrase.encode())


class ChatRequest(WebRequest):
    """Daphne's request, which takes other people's headers as they come, and leaves its body to Django."""

    @hook
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parsePOSTFormSubmission = False  # by Twisted: without a bound, on the loop, and nobody reads it

    @hook
    def process(self) -> Any:
        self._replace_next_lines()
        self._join_cookies()
        self._drop_odd_addresses()
        self.responseHeaders.setRawHeaders(b"date", [http.datetimeToString()])
        use_origin_form(self)
        if refused := refusal(self):
            return self._refuse(refused)
        return super().process()

    def _refuse(self, refused: Refusal) -> None:
        for name, value in refused.headers:
            self.responseHeaders.setRawHeaders(name, [value])
        self.channel.persistent = False
        self.basic_error(refused.status, refused.words, refused.why)

    def _replace_next_lines(self) -> None:
        """Daphne refuses a value with NEXT_LINE anywhere, because autobahn would break the line there.

        Nothing that we read has it; the cookies of another application on this host may.
        """
        for name, values in list(self.requestHeaders.getAllRawHeaders()):
            if any(NEXT_LINE in value for value in values):
                self.requestHeaders.setRawHeaders(name, [value.replace(NEXT_LINE, b"?") for value in values])

    def _join_cookies(self) -> None:
        """A proxy that speaks HTTP/2 to the browser may send several lines (RFC 9113, 8.2.3)."""
        lines = self.requestHeaders.getRawHeaders(b"cookie", [])
        if len(lines) > 1:
            self.requestHeaders.setRawHeaders(b"cookie", [b"; ".join(lines)])

    def _drop_odd_addresses(self) -> None:
        """With --proxy-headers Daphne decodes these as ASCII, and fails on anything else."""
        for name in FORWARDED:
            if not all(value.isascii() for value in self.requestHeaders.getRawHeaders(name, [])):
                self.requestHeaders.removeHeader(name)

    @hook
    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        address = self.client_addr[0] if self.client_addr else _host_of(self.channel)
        logger.info("refused %s with %d: %s", address, status, body)
        super().basic_error(status, status_text, body)


def _host_of(channel: Any) -> str:
    return getattr(channel.transport.getPeer(), "host", "-")


class PatientChannel(http.HTTPChannel):
    """Twisted's HTTP, whose timeout is renewed by a request's first byte and by every PROGRESS_BYTES, not by any.

    More than REQUEST_LIMIT_BYTES it does not take, because Daphne holds a request in memory. And it begins no request
    while the answers to earlier ones wait to be read.
    """

    transport: Any
    progress_bytes = PROGRESS_BYTES
    request_bytes = 0
    is_refused = False
    unread: bytes = b""

    @hook
    def connectionMade(self) -> None:
        if self.requestFactory is WebRequest:
            self.requestFactory = ChatRequest
        super().connectionMade()

    @hook
    def dataReceived(self, data: bytes) -> None:
        self.progress_bytes += len(data)
        self.request_bytes += len(data)
        if self.is_refused:
            return
        if self.request_bytes <= REQUEST_LIMIT_BYTES:
            super().dataReceived(data)
            self._forget_upgraded()
        else:
            self._refuse(*TOO_LARGE)

    def _forget_upgraded(self) -> None:
        """A request that Daphne made a WebSocket of: the two know each other, and would wait for the collector.

        What came right behind it, in the same segment, is the WebSocket's.
        """
        if self.requests and self.requests[0].transport is None:
            self.requests.clear()
            behind, self._dataBuffer = b"".join(self._dataBuffer), []
            if behind:
                self._socket().dataReceived(behind)

    def _socket(self) -> Any:
        """What Daphne put in our place, above TLS too."""
        if isinstance(self.transport, ProtocolWrapper):
            return self.transport.wrappedProtocol
        return self.transport.protocol

    @hook
    def lineReceived(self, line: bytes) -> None:
        if self.is_refused:
            return
        if self._receivedHeaderSize + len(line) > self.totalHeadersSize:
            self._refuse(*HEADERS_TOO_LARGE)
        else:
            super().lineReceived(line)

    @hook
    def lineLengthExceeded(self, line: bytes) -> None:
        self._refuse(*(HEADERS_TOO_LARGE if self._receivedHeaderSize else URI_TOO_LONG))

    @hook
    def _respondToBadRequestAndDisconnect(self) -> None:
        self._refuse(*(TOO_MANY_HEADERS if self._receivedHeaderCount > self.maxHeaders else MALFORMED))

    def _refuse(self, status: int, words: str, why: str) -> None:
        """Answer once, and let the rest come until the timeout: a client that is cut while it sends reads no answer."""
        self.is_refused = True
        logger.info("refused %s with %d: %s", _host_of(self), status, why)
        lines = [
            f"HTTP/1.1 {status} {words}",
            "Connection: close",
            "Content-Type: text/plain",
            f"Content-Length: {len(why) + 1}",
            f"Date: {http.datetimeToString().decode()}",
        ]
        self.transport.write("\r\n".join([*lines, "", f"{why}\n"]).encode())
        self.transport.loseWriteConnection()

    # One answer after the other

    @hook
    def requestDone(self, request: Any) -> None:
        if self._waitingForTransport and self.persistent:
            self.unread, self._dataBuffer = b"".join([self.unread, *self._dataBuffer]), []
        super().requestDone(request)

    @hook
    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self.unread and not self._handlingRequest:
            unread, self.unread = self.unread, b""
            LineReceiver.dataReceived(self, unread)

    # Patience

    @hook
    def resetTimeout(self) -> None:
        if self.progress_bytes >= PROGRESS_BYTES:
            self.progress_bytes = 0
            super().resetTimeout()

    @hook
    def setTimeout(self, period: float | None) -> Any:
        """Called between two requests."""
        self.progress_bytes, self.request_bytes = PROGRESS_BYTES, 0
        return super().setTimeout(period)
