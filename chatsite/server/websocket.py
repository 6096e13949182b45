"""The way into one WebSocket: Daphne's protocol, reading no faster than its application, and patient with nobody.

Nothing is read while the application has more than INBOUND_LIMIT_… of a peer before it. A message has
MESSAGE_TIMEOUT_S to arrive. A peer that breaks the protocol is told so in a close frame.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from .frames import Frames
from .handshake import OF_THE_HANDSHAKE, Upgraded
from .hooks import hook
from .inbox import DirectInbox, Message
from .whole_text import whole_text

UNREAD_STATISTICS = TrafficStats()
CONSTANTS = (type(None), bool, int, bytes)

INBOUND_LIMIT_BYTES = 256 * 1024
INBOUND_LIMIT_MESSAGES = 128
CONTROL_FRAME_LIMIT_BYTES = 125
MESSAGE_TIMEOUT_S = 60.0
CLOSE_HANDSHAKE_TIMEOUT_S = 5

NORMAL_CLOSURE = 1000
NO_CODE_RECEIVED = 1005
POLICY_VIOLATION = 1008

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class ChatSocket(WebSocketProtocol):
    """Daphne's WebSocket with `Frames` for its way out, and reading no faster than its application.

    What comes in goes into `application_queue`, which is the application itself once it took that over.
    """

    holds: frozenset[str] = frozenset()
    message_began_at: float | None = None
    unread_bytes = 0
    application_queue: Any
    request: Any

    async def serve(self, application: Application, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application. When it has taken all that was read, reading goes on.

        When it ends, so do we, unless it has taken over what comes.
        """

        async def receive_and_release() -> Message:
            message = await receive()
            if not self.application_queue.qsize():
                self._all_is_read()
            return message

        await application(scope, receive_and_release, send)
        if not isinstance(self.application_queue, DirectInbox):
            leave(self, NORMAL_CLOSURE)

    def hand_over(self, received: Callable[[Message], None]) -> None:
        inbox, self.application_queue = self.application_queue, DirectInbox(self, received)
        while inbox.qsize():
            message = inbox.get_nowait()
            if self.state == self.STATE_OPEN or message["type"] == "websocket.disconnect":
                self.application_queue.put_nowait(message)
        self._all_is_read()
        self._forget_the_handshake()

    def _forget_the_handshake(self) -> None:
        """Keep what is this connection's own: most of autobahn's hundred attributes say what everybody's say."""
        ours, path = type(self), self.request.path
        kept = {name: value for name, value in vars(self).items() if name not in OF_THE_HANDSHAKE}
        for name in kept.keys() - self.CONFIG_ATTRS:
            if not kept[name] and isinstance(kept[name], CONSTANTS) and not hasattr(ours, name):
                setattr(ours, name, kept[name])
        self.__dict__ = {name: value for name, value in kept.items() if getattr(ours, name, kept) is not value}
        self.request = Upgraded(path)

    def _all_is_read(self) -> None:
        self.unread_bytes = 0
        self.release_reading("application queue")

    # Opening

    @hook
    def connectionMade(self) -> None:
        super().connectionMade()
        self.send_queue = ()  # of autobahn, for what does not go through `frames`: nothing
        self.trafficStats = UNREAD_STATISTICS
        self.frames = Frames(self)

    @hook
    def onConnect(self, request: ConnectionRequest) -> Any:
        if self.factory.server_class.is_draining:
            raise ConnectionDeny(503, "Restarting")
        if not request.headers.get("sec-websocket-protocol", "").isascii():
            raise ConnectionDeny(400, "Sec-WebSocket-Protocol is not ASCII")
        return super().onConnect(request)

    @hook
    def onOpen(self) -> None:
        super().onOpen()
        self.release_reading("handshake")

    # Out

    @hook
    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        self.frames.send(data)

    @hook
    def serverSend(self, content: Any, binary: bool = False) -> None:
        """Of any size; and nothing, as ASGI has it, when the connection is closing."""
        if self.state == self.STATE_OPEN:
            self.sendFrame(opcode=2 if binary else 1, payload=content if binary else content.encode())

    async def about_to_send(self, message: Message) -> None:
        """Whoever sends waits while much waits. What has no character or byte Daphne does not send, so we do."""
        while self.frames.emptied:
            await self.frames.emptied.wait()
        if self.state == self.STATE_OPEN and not message.get("text") and not message.get("bytes"):
            self.sendFrame(opcode=1 if message.get("bytes") is None else 2)

    # In

    @hook
    def dataReceived(self, data: bytes) -> None:
        """What comes before the application has answered the handshake waits, a little of it.

        A message that comes alone and whole, as most do, need not be taken apart by autobahn.
        """
        if self._is_between_frames() and (text := whole_text(data)) is not None:
            self.onMessage(text, False)
        elif hasattr(self, "handshake_deferred"):
            self.data += data
            self.hold_reading("handshake")
        else:
            self._dataReceived(data)

    def _is_between_frames(self) -> bool:
        return self.state == self.STATE_OPEN and not (
            self.data or self.holds or self.current_frame or self.inside_message or self.failedByMe
        )

    @hook
    def consumeData(self) -> None:
        if self.state != self.STATE_OPEN and self.state != self.STATE_CLOSING:
            super().consumeData()
        else:
            while not self.holds and self.processData() and self.state != self.STATE_CLOSED:
                pass

    @hook
    def onFrameBegin(self) -> None:
        if self.current_frame.opcode > 7 and self.current_frame.length > CONTROL_FRAME_LIMIT_BYTES:
            self.dropConnection()
        else:
            super().onFrameBegin()

    @hook
    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        self.message_data = bytearray()
        self.message_began_at = time.monotonic()

    @hook
    def onMessageFrameData(self, payload: bytes) -> None:
        if not self.failedByMe:
            self.message_data += payload

    @hook
    def onMessageEnd(self) -> None:
        self.message_began_at = None
        if not self.failedByMe:
            self.onMessage(bytes(self.message_data), self.message_is_binary)
        self.message_data = bytearray()

    @hook
    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state == self.STATE_OPEN:
            super().onMessage(payload, isBinary)
            self.last_ping = time.time()  # who talks needs no ping
            if unread_messages := self.application_queue.qsize():
                self.unread_bytes += len(payload)
                if self.unread_bytes > INBOUND_LIMIT_BYTES or unread_messages > INBOUND_LIMIT_MESSAGES:
                    self.hold_reading("application queue")

    @hook
    def onPing(self, payload: bytes) -> None:
        super().onPing(payload)
        if isinstance(self.application_queue, DirectInbox):
            self.application_queue.put_nowait({"type": "websocket.ping"})

    def hold_reading(self, reason: str) -> None:
        if self.state in (self.STATE_CONNECTING, self.STATE_OPEN):
            self.holds |= {reason}
            self.transport.pauseProducing()

    def release_reading(self, reason: str) -> None:
        if reason in self.holds:
            self.holds -= {reason}
            if not self.holds:
                self.transport.resumeProducing()
                asyncio.get_running_loop().call_soon(self.consumeData)

    # Signs of life

    @hook
    def check_timeouts(self) -> None:
        """From Daphne, every two seconds, for those that said nothing for a while."""
        if self.is_busy or self.autoPingTimeoutCall:
            self.last_ping = time.time()  # no ping now
        if self.holds:
            self.message_began_at = self.message_began_at and time.monotonic()
        if self.message_began_at and time.monotonic() - self.message_began_at > MESSAGE_TIMEOUT_S:
            self.sendCloseFrame(code=POLICY_VIOLATION, reasonUtf8=b"message not completed in time")
        super().check_timeouts()

    @hook
    def onAutoPingTimeout(self) -> None:
        if self.is_busy:
            self.autoPingTimeoutCall = None
        else:
            super().onAutoPingTimeout()

    @property
    def is_busy(self) -> bool:
        """Whether a pong cannot be expected: something is on its way in or out, and judged by another clock."""
        return bool(self.holds or self.message_began_at or self.frames.buffered_bytes)

    # Closing

    @hook
    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        self.frames.let_all_through()
        super().sendCloseFrame(code, reasonUtf8, isReply)
        self.frames.shut()
        for reason in self.holds:
            self.release_reading(reason)  # the peer's answer is to be read

    @hook
    def dropConnection(self, abort: bool = False) -> None:
        """A connection that ended well is not reset, which a proxy would call an error."""
        super().dropConnection(abort and not self.wasClean)
        self.frames.shut()

    @hook
    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.frames.stopProducing()
        if hasattr(self, "server"):
            own_code = self.localCloseCode if self.closedByMe else None
            super().onClose(wasClean, own_code or code or NO_CODE_RECEIVED, reason)


def leave(protocol: WebSocketProtocol, code: int) -> None:
    """Close an open socket, or refuse one that still waits to be accepted."""
    if protocol.state == protocol.STATE_OPEN:
        protocol.sendCloseFrame(code=code)
    elif hasattr(protocol, "handshake_deferred"):
        protocol.handshake_deferred.errback(ConnectionDeny(503, "Service Unavailable"))
        del protocol.handshake_deferred


def with_options_of(factory: WebSocketFactory) -> type[ChatSocket]:
    """ChatSocket with the factory's options on the class: autobahn copies and prints them for every connection."""
    options = {name: getattr(factory, name) for name in ChatSocket.CONFIG_ATTRS}
    functions = {name: staticmethod(option) for name, option in options.items() if callable(option)}
    return type("ChatSocket", (ChatSocket,), {**options, **functions, "CONFIG_ATTRS": ()})
