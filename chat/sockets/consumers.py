"""The sockets: what comes in is handed to a participant, what it says goes out. Decides nothing."""

from __future__ import annotations

import logging
import time
from typing import Any

from channels.consumer import AsyncConsumer

from chat.live import runtime
from chat.live.arrivals import Arrival
from chat.wire import codec
from chat.wire.closes import Close
from chat.wire.codec import SUBPROTOCOL
from chat.wire.frame import Frame
from chat.wire.refusals import Refusal

from .outgoing import Direct, Queued
from .participant import Participant
from .scope import Scope, address, header, room_asked

logger = logging.getLogger("chat.connections")

GONE_WITHOUT_CLOSE_FRAME = 1006


class SocketConsumer(AsyncConsumer):
    """One accepted socket, served until it closes, whatever happens.

    Not Channels' own way in three places, all measured (docs/decisions.md): no channel of its own in the layer,
    since the hub delivers; no hop through the database thread for each frame, since nothing here touches the
    database; and no task that waits for the next frame, where the server hands each one over.
    """

    channel_layer_alias = None

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.address = address(scope)
        self.opened_at = time.monotonic()
        self.close_code = GONE_WITHOUT_CLOSE_FRAME
        self.frames = scope.get("extensions", {}).get("chatsite.frames")
        self.outgoing = Direct(self.frames) if self.frames is not None else Queued(send)
        self.deliver = self.outgoing.deliver
        try:
            await self.opened(scope)
            if self.frames is not None:
                self.frames.hand_over(self.received)
            else:
                await self._serve(receive)
        except BaseException:
            self._end()
            raise

    async def _serve(self, receive: Any) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            self.received(message)
            await self.caught_up()
        self.received(message)

    def received(self, message: dict[str, Any]) -> None:
        """Take the next message of ASGI, and do at once what can be done at once."""
        if message["type"] == "websocket.disconnect":
            is_by_peer = not self.outgoing.is_closed
            self.close_code = message.get("code") or self.close_code
            self._end(is_by_peer)
        elif self.outgoing.is_closed:
            pass
        elif message["type"] == "websocket.ping":
            self.pinged()
        elif (text := message.get("text")) is not None:
            self.text_received(text)
        else:
            self.bytes_received(message.get("bytes") or b"")

    async def opened(self, scope: Scope) -> None: ...

    async def caught_up(self) -> None: ...

    def closed(self, is_by_peer: bool) -> None: ...

    def pinged(self) -> None: ...

    def text_received(self, text: str) -> None: ...

    def bytes_received(self, data: bytes) -> None: ...

    def hang_up(self, code: int) -> None:
        """Close after what was sent, and take nothing more; the server tells us when it is done."""
        if not self.outgoing.is_closed:
            self.close_code = int(code)
            self.outgoing.close(int(code))

    def pause(self) -> None:
        """Read nothing more from this peer; on another server `caught_up` waits instead."""
        if self.frames is not None:
            self.frames.pause()

    def resume(self) -> None:
        if self.frames is not None:
            self.frames.resume()

    def _end(self, is_by_peer: bool = False) -> None:
        self.outgoing.abandon()
        self.closed(is_by_peer)
        duration_s = time.monotonic() - self.opened_at
        logger.info("close %s %s after %.1f s with %d", self.who(), self.address, duration_s, self.close_code)

    def log_connect(self) -> None:
        logger.info("connect %s %s", self.who(), self.address)

    def who(self) -> str:
        return "-"


class ChatConsumer(SocketConsumer):
    """A connection that takes part, in whichever dialect."""

    participant: Participant | None = None

    async def opened(self, scope: Scope) -> None:
        person, dialect = scope["person"], scope["dialect"]
        room = None if dialect.subprotocol == SUBPROTOCOL else room_asked(scope)
        self.name = person.name
        self.participant = Participant(await runtime.running(), person, dialect(room, person.name), self)
        self.log_connect()
        await self._open(self.participant, scope["arrival"])

    async def _open(self, participant: Participant, arrival: Arrival) -> None:
        try:
            await participant.open(arrival.accepted_at)
        except Refusal as trouble:
            participant.refuse(None, trouble)
            participant.bye(Close.OVERLOADED, trouble.retry_after)
        arrival.over()

    def closed(self, is_by_peer: bool) -> None:
        if self.participant is not None:
            self.participant.close(is_by_peer)

    async def caught_up(self) -> None:
        if self.participant is not None:
            await self.participant.caught_up()

    def pinged(self) -> None:
        if self.participant is not None:
            self.participant.heard()

    def text_received(self, text: str) -> None:
        if self.participant is not None:
            self.participant.take_text(text)

    def bytes_received(self, data: bytes) -> None:
        if self.participant is not None:
            self.participant.take_bytes(data)

    def who(self) -> str:
        return self.name


class EchoConsumer(SocketConsumer):
    """Gives everything back to its sender: for finding out what works between a client and here."""

    async def opened(self, scope: Scope) -> None:
        self.log_connect()
        self._send(Frame(codec.encode({"type": "hello", "now": codec.now(), "seen": _seen(scope)})))

    def text_received(self, text: str) -> None:
        self._send(Frame(text.encode()))

    def bytes_received(self, data: bytes) -> None:
        self._send(Frame(data, binary=True))

    def _send(self, frame: Frame) -> None:
        if not self.deliver(frame):
            self.hang_up(Close.TOO_SLOW)


def _seen(scope: Scope) -> dict[str, Any]:
    """What arrived here of the request: what a proxy changed shows in it."""
    names = ("host", "origin", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "user-agent")
    seen = {name.replace("-", "_"): header(scope, name.encode()) for name in names}
    return {"scheme": scope.get("scheme", "ws"), "client": address(scope), **seen}
