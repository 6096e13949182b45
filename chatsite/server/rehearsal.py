"""One connection from its upgrade to its close, without a network: does our socket fit Daphne and autobahn?"""

import asyncio
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from daphne.server import reactor
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HELLO_MASKED, HELLO = b"\x81\x85\x00\x00\x00\x00hello", b"\x81\x05hello"
CLOSE_MASKED, CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8", b"\x88\x02\x03\xe8"


def rehearse(socket_class: type) -> None:
    """Raise what goes wrong."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        factory = WebSocketFactory(_RehearsalServer())
        factory.protocol = socket_class
        transport = reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        try:
            _Rehearsal(transport.protocol, transport, theirs).play()
        finally:
            transport.connectionLost(Failure(ConnectionDone()))


class _Rehearsal:
    """Both sides of one connection; each step raises ValueError when what comes is not what was expected."""

    def __init__(self, protocol: Any, transport: Any, peer: socket.socket):
        self._protocol, self._transport, self._peer = protocol, transport, peer
        peer.settimeout(1)

    def play(self) -> None:
        self._open()
        self._hear()
        self._say()
        self._close()

    def _open(self) -> None:
        self._protocol._raw_query_string = b""
        self._protocol.dataReceived(UPGRADE)
        self._protocol.handle_reply({"type": "websocket.accept"})
        self._expect(b"HTTP/1.1 101 ")

    def _hear(self) -> None:
        self._protocol.dataReceived(HELLO_MASKED)
        messages: list[dict[str, Any]] = []
        self._protocol.frames.hand_over(messages.append)
        self._protocol.dataReceived(HELLO_MASKED)
        if messages[1:] != [{"type": "websocket.receive", "text": "hello"}] * 2:
            raise ValueError(f"{messages} were received")

    def _say(self) -> None:
        frames = self._protocol.frames
        frames.write(SimpleNamespace(wire=HELLO))
        self._expect(HELLO)
        self._transport.write(HELLO)
        if frames.buffered_bytes != len(HELLO):
            raise ValueError(f"{frames.buffered_bytes} bytes wait instead of {len(HELLO)}")
        self._transport.doWrite()
        if frames.buffered_bytes:
            raise ValueError(f"{frames.buffered_bytes} bytes wait, though sent")
        self._expect(HELLO)

    def _close(self) -> None:
        self._protocol.check_timeouts()
        self._protocol.dataReceived(CLOSE_MASKED)
        self._expect(CLOSE)

    def _expect(self, expected: bytes) -> None:
        received = self._peer.recv(1024)
        if not received.startswith(expected):
            raise ValueError(f"{received!r} instead of {expected!r}")


class _RehearsalServer:
    """What a socket asks of its server."""

    root_path = ""
    is_draining = False
    proxy_forwarded_address_header = None
    websocket_timeout = -1
    ping_interval = 30

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> asyncio.Queue[Any]:
        return asyncio.Queue()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: None
