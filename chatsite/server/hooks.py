"""Where we replace a part of Daphne, autobahn, or Twisted: marked with @hook, and tried before the first connection."""

import asyncio
import inspect
import logging
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

from daphne.server import reactor
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

logger = logging.getLogger(__name__)

Method = TypeVar("Method", bound=Callable[..., Any])

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HELLO_MASKED, HELLO = b"\x81\x85\x00\x00\x00\x00hello", b"\x81\x05hello"
CLOSE_MASKED, CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8", b"\x88\x02\x03\xe8"


def hook(method: Method) -> Method:
    """Marks a method that replaces one of its base class, and is called by it."""
    method.is_hook = True  # type: ignore[attr-defined]
    return method


def is_fit(ours: type, rehearsal: Callable[[type], None] | None = None) -> bool:
    """Whether the class that ours is made from is as it was; one line when it is not."""
    try:
        changed = changed_hooks(ours)
        if rehearsal and not changed:
            rehearsal(ours)
    except Exception as error:
        changed = [repr(error)]
    if changed:
        logger.warning("%s is not used, its base is not as expected: %s", ours.__name__, ", ".join(changed))
    return not changed


def changed_hooks(subclass: type) -> list[str]:
    """Names the hooks of this class for which its base class has no method, or one with other parameters."""
    hooks = [(name, method) for name, method in vars(subclass).items() if hasattr(method, "is_hook")]
    base = subclass.__bases__[0]
    return [
        f"{base.__name__}.{name}"
        for name, method in hooks
        if not hasattr(base, name) or _parameters(getattr(base, name)) != _parameters(method)
    ]


def rehearse(socket_class: type) -> None:
    """One connection from its upgrade to its close, without a network. Raises what goes wrong."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        factory = WebSocketFactory(_RehearsalServer())
        factory.protocol = socket_class
        transport = reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        try:
            _play(transport.protocol, transport, theirs)
        finally:
            transport.connectionLost(Failure(ConnectionDone()))


def _play(protocol: Any, transport: Any, peer: socket.socket) -> None:
    def expect(expected: bytes) -> None:
        received = peer.recv(1024)
        if not received.startswith(expected):
            raise ValueError(f"{received!r} instead of {expected!r}")

    peer.settimeout(1)
    protocol._raw_query_string = b""
    protocol.dataReceived(UPGRADE)
    protocol.handle_reply({"type": "websocket.accept"})
    expect(b"HTTP/1.1 101 ")
    protocol.dataReceived(HELLO_MASKED)
    messages: list[dict[str, Any]] = []
    protocol.frames.hand_over(messages.append)
    protocol.dataReceived(HELLO_MASKED)
    if messages[1:] != [{"type": "websocket.receive", "text": "hello"}] * 2:
        raise ValueError(f"{messages} were received")
    protocol.frames.write(SimpleNamespace(wire=HELLO))
    expect(HELLO)
    transport.write(HELLO)
    if protocol.frames.buffered_bytes != len(HELLO):
        raise ValueError(f"{protocol.frames.buffered_bytes} bytes wait instead of {len(HELLO)}")
    transport.doWrite()
    if protocol.frames.buffered_bytes:
        raise ValueError(f"{protocol.frames.buffered_bytes} bytes wait, though sent")
    expect(HELLO)
    protocol.check_timeouts()
    protocol.dataReceived(CLOSE_MASKED)
    expect(CLOSE)


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


def _parameters(method: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(method).parameters)
