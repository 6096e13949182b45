"""The way in for HTTP requests: a client may be slow, but not for ever, and may send much, but not without end."""

from typing import Any

from twisted.web import http

from .hooks import hook

REQUEST_TIMEOUT_S = 60
REQUEST_LIMIT_BYTES = 64 * 1024 * 1024
PROGRESS_BYTES = 16 * 1024
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class PatientChannel(http.HTTPChannel):
    """Twisted's HTTP, whose timeout is renewed by a request's first byte and by every PROGRESS_BYTES, not by any.

    More than REQUEST_LIMIT_BYTES it does not take, because Daphne holds a request in memory.
    """

    transport: Any
    progress_bytes = PROGRESS_BYTES
    request_bytes = 0
    is_refused = False

    @hook
    def dataReceived(self, data: bytes) -> None:
        self.progress_bytes += len(data)
        self.request_bytes += len(data)
        if self.request_bytes <= REQUEST_LIMIT_BYTES:
            super().dataReceived(data)
            self._forget_upgraded()
        elif not self.is_refused:
            self._refuse()

    def _forget_upgraded(self) -> None:
        """A request that Daphne made a WebSocket of: the two know each other, and would wait for the collector."""
        if self.requests and self.requests[0].transport is None:
            self.requests.clear()

    def _refuse(self) -> None:
        """Answer, and let the rest come until the timeout: a client that is cut while it sends reads no answer."""
        self.is_refused = True
        self.transport.write(TOO_LARGE)
        self.transport.loseWriteConnection()

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
