"""Daphne, completed through its own hooks.

The sockets are those of websocket.py, offered to the application as scope["extensions"]["chatsite.frames"].
SIGTERM drains; scope["extensions"]["chatsite.drain"] takes the functions to await before sockets are closed.
A part of Daphne, autobahn, or Twisted that is not as it was when this was written is left alone, with one line.
"""

import asyncio
import gc
import logging
import math
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from daphne.server import Server, reactor
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.defer import Deferred
from twisted.web.http import H2_ENABLED

from . import websocket
from .hooks import hook, is_fit
from .http_channel import REQUEST_TIMEOUT_S, ChatRequest, PatientChannel
from .inbox import Inbox
from .inherited import INHERITED, other_family
from .rehearsal import rehearse
from .unix_socket import NotUsable, make_way
from .websocket import (
    CLOSE_HANDSHAKE_TIMEOUT_S,
    Application,
    ChatSocket,
    Receive,
    Scope,
    Send,
    leave,
    with_options_of,
)

logger = logging.getLogger("chatsite.server")

ACCEPT_BACKLOG = 1024

# A connection is some hundred objects that stay: Python's own 700 would look through them ten times as often.
GARBAGE_THRESHOLDS = (10_000, 20, 20)

DRAIN_TIMEOUT_S = 10
CLOSE_TIMEOUT_S = 2
END_TIMEOUT_S = 1
GOING_AWAY = 1001
CHECK_INTERVAL_S = 0.05
APPLICATION_CHECK_S, TIMEOUT_CHECK_S = 1, 2  # Daphne's own

Connections = dict[Any, dict[str, Any]]
DrainCallback = Callable[[], Awaitable[None]]


class ChatServer(Server):
    """Daphne's server with our sockets, and a gentle end."""

    is_draining = False
    connections: Connections

    def __init__(self, application: Any, **options: Any) -> None:
        super().__init__(application=partial(_serve, application), **options)
        endpoints = self.endpoints
        self._inherited = {endpoint: family for endpoint in endpoints if (family := other_family(endpoint))}
        self.endpoints: list[str] = [endpoint for endpoint in endpoints if endpoint not in self._inherited]
        self._stop_accepting: list[Callable[[], Any]] = []
        self._drain_callbacks: list[DrainCallback] = []
        self._ended: set[Any] = set()
        self._parent = os.getppid() if os.environ.get("CHATSITE_PARENT_WATCH") == "1" else None

    @hook
    def run(self) -> None:
        for endpoint in self.endpoints:
            try:
                make_way(endpoint)
            except NotUsable as problem:
                sys.exit(f"chatsite: {problem}")
        reactor.callWhenRunning(self._use_our_protocols)
        reactor.callWhenRunning(self._listen_to_inherited)
        gc.collect()
        gc.freeze()  # what the application is made of, so that no collection looks through it
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        super().run()

    def _use_our_protocols(self) -> None:
        for logger_name in ("daphne.http_protocol", "daphne.ws_protocol"):
            logging.getLogger(logger_name).addFilter(_last_line_only)
        if not H2_ENABLED and is_fit(PatientChannel) and is_fit(ChatRequest):
            self.http_factory.protocol = PatientChannel
            self.http_factory.timeOut = REQUEST_TIMEOUT_S
        if is_fit(ChatSocket, rehearse):
            self.ws_factory.setProtocolOptions(
                failByDrop=False,
                closeHandshakeTimeout=CLOSE_HANDSHAKE_TIMEOUT_S,
                allowNullOrigin=True,
                echoCloseCodeReason=True,
            )
            self.ws_factory.protocol = with_options_of(self.ws_factory)

    def _listen_to_inherited(self) -> None:
        for endpoint, family in self._inherited.items():
            fileno = int(endpoint.removeprefix(INHERITED))
            os.set_blocking(fileno, False)
            port = reactor.adoptStreamPort(fileno, family, self.http_factory)
            self._stop_accepting.append(port.stopReading)

    @hook
    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        port.socket.listen(ACCEPT_BACKLOG)
        self._stop_accepting.append(port.stopListening)

    @hook
    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """As Daphne does it, with a leaner queue, and with our extensions."""
        scope["root_path"] = self.root_path  # whatever a client's Daphne-Root-Path says
        scope["extensions"] = {"chatsite.drain": self.on_drain}
        if isinstance(protocol, ChatSocket):
            scope["extensions"]["chatsite.frames"] = protocol.frames
            # As they came: Daphne decodes percent signs, and autobahn takes back only what was offered.
            scope["subprotocols"] = [name for name in protocol.request.protocols if name]
        inbox = Inbox()
        scope.setdefault("asgi", {"version": "3.0"})
        application = self.application(scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol))
        task = self.connections[protocol]["application_instance"] = asyncio.ensure_future(application)
        task.add_done_callback(lambda _: self._ended.add(protocol))
        return inbox

    @hook
    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """While much waits to be sent to a peer, so does whoever sends more."""
        if isinstance(protocol, ChatSocket) and message.get("type") == "websocket.send":
            await protocol.about_to_send(message)
        await super().handle_reply(protocol, message)

    @hook
    def protocol_disconnected(self, protocol: Any) -> None:
        if protocol in self.connections:
            super().protocol_disconnected(protocol)
            self._ended.add(protocol)

    @hook
    def application_checker(self) -> None:
        """Daphne looks through all connections every second. Only those that have ended can need it."""
        ended, self._ended = self._ended, set()
        left = {protocol: self.connections[protocol] for protocol in ended if protocol in self.connections}
        try:
            self._check(super().application_checker, left)
        finally:
            for protocol in ended - left.keys():
                self.connections.pop(protocol, None)
            self._ended |= {protocol for protocol, details in left.items() if "disconnected" in details}
            reactor.callLater(APPLICATION_CHECK_S, self.application_checker)

    @hook
    def timeout_checker(self) -> None:
        """Nothing can be due for a socket that was heard a moment ago."""
        try:
            self._check(super().timeout_checker, self._quiet())
            if self._parent not in (None, os.getppid()) and not self.is_draining:
                logger.warning("the process that started this one is gone")
                self.stop()
        finally:
            reactor.callLater(TIMEOUT_CHECK_S, self.timeout_checker)

    def _quiet(self) -> Connections:
        longest_s = min(self.ping_interval, self.websocket_connect_timeout, websocket.MESSAGE_TIMEOUT_S)
        heard_before = time.time() - longest_s if self.websocket_timeout < 0 else math.inf
        everybody = self.connections.items()
        return {protocol: details for protocol, details in everybody if _last_heard(protocol) < heard_before}

    def _check(self, check: Callable[[], None], some: Connections) -> None:
        """Daphne's check of these connections; of each alone where one raises, so that it keeps nobody else from it."""
        try:
            self._check_together(check, some)
        except Exception:
            for protocol, details in list(some.items()):
                try:
                    self._check_together(check, {protocol: details})
                except Exception:
                    logger.exception("a connection could not be checked, and is dropped")
                    self._drop(protocol)
                    some.pop(protocol, None)

    def _check_together(self, check: Callable[[], None], some: Connections) -> None:
        with self._looking_at(some), self._without_next_round():
            check()

    @contextmanager
    def _without_next_round(self) -> Iterator[None]:
        """Daphne orders the next round at the end of each, and none when it raises: we order it ourselves."""
        self.application_checker = self.timeout_checker = _no_round  # type: ignore[method-assign]
        try:
            yield
        finally:
            del self.application_checker, self.timeout_checker

    def _drop(self, protocol: Any) -> None:
        self.connections.pop(protocol, None)
        with suppress(Exception):
            protocol.transport.abortConnection()

    @contextmanager
    def _looking_at(self, some: Connections) -> Iterator[None]:
        """Daphne's rounds go through `connections`: for one of them, these are all there are."""
        everybody, self.connections = self.connections, some
        try:
            yield
        finally:
            self.connections = everybody

    def on_drain(self, callback: DrainCallback) -> None:
        """Await `callback()` before the sockets are closed; registering it again changes nothing."""
        if callback not in self._drain_callbacks:
            self._drain_callbacks.append(callback)

    @hook
    def kill_all_applications(self) -> Deferred:
        """From the reactor, which stops when this is done. From here on nobody is let in."""
        self.is_draining = True
        return Deferred.fromFuture(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        logger.info("draining %d connections", len(self._connected()))
        for stop in self._stop_accepting:
            stop()
        callbacks = [asyncio.create_task(_drained(callback)) for callback in self._drain_callbacks]
        await _until(lambda: not self._requests() and all(task.done() for task in callbacks), DRAIN_TIMEOUT_S)
        for protocol in self._sockets():
            leave(protocol, GOING_AWAY)
        await _until(lambda: not self._sockets() and not reactor.getWriters(), CLOSE_TIMEOUT_S)
        for protocol in self._sockets():
            protocol.transport.abortConnection()
        await _until(lambda: not self._applications(), END_TIMEOUT_S)
        for application in self._applications():
            application.cancel()
        await _until(lambda: not self._applications(), END_TIMEOUT_S)

    def _connected(self) -> list[Any]:
        return [protocol for protocol, details in self.connections.items() if "disconnected" not in details]

    def _sockets(self) -> list[Any]:
        return [protocol for protocol in self._connected() if isinstance(protocol, WebSocketProtocol)]

    def _requests(self) -> list[Any]:
        """HTTP requests without an answer, as far as they have come, and connections with an answer on its way."""
        answering = [w for w in reactor.getWriters() if not isinstance(getattr(w, "protocol", None), WebSocketProtocol)]
        return answering + [
            protocol
            for protocol, details in self.connections.items()
            if "application_instance" in details and not isinstance(protocol, WebSocketProtocol)
        ]

    def _applications(self) -> list[Any]:
        tasks = [details.get("application_instance") for details in self.connections.values()]
        return [task for task in tasks if task and not task.done()]


async def _serve(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    frames = scope["extensions"].get("chatsite.frames")
    if frames:
        await frames.protocol.serve(application, scope, receive, send)
    else:
        await application(scope, receive, send)


def _no_round() -> None: ...


def _last_heard(protocol: Any) -> float:
    return getattr(protocol, "last_ping", 0)


async def _drained(callback: DrainCallback) -> None:
    try:
        await asyncio.wait_for(callback(), DRAIN_TIMEOUT_S)
    except TimeoutError:
        logger.warning("%r was not done in %d s", callback, DRAIN_TIMEOUT_S)
    except Exception:
        logger.exception("%r failed while draining", callback)


async def _until(is_so: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so() and time.monotonic() < deadline:  # noqa: ASYNC110 (Daphne's records announce nothing)
        await asyncio.sleep(CHECK_INTERVAL_S)


def _last_line_only(record: logging.LogRecord) -> bool:
    """Daphne logs a traceback when a client sends what it cannot parse: one line will do."""
    text = str(record.msg).strip()
    if "Traceback" in text:
        record.msg = "request failed: " + text.rpartition("\n")[2]
    return True
