"""The sockets: a frame in becomes a verb, an answer becomes a frame out. Decides nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from channels.consumer import AsyncConsumer

from chat import limits
from chat.live import runtime
from chat.live.arrivals import Arrival
from chat.live.rate_limits import Patience
from chat.wire import codec, verbs
from chat.wire.closes import Close
from chat.wire.dialects import Asked
from chat.wire.frame import Frame
from chat.wire.refusals import BrokenFrame, Refusal

from . import upgrade
from .outgoing import Direct, Queued
from .participant import Participant

logger = logging.getLogger("chat.connections")

GONE_WITHOUT_A_WORD = 1006


class SocketConsumer(AsyncConsumer):
    """One accepted socket, served until it closes, whatever happens.

    Not Channels' own way in three places, all measured (docs/decisions.md): no channel of its own in the layer,
    since the hub delivers; no hop through the database thread for each frame, since nothing here touches the
    database; and no task that waits for the next frame, where the server hands each one over.
    """

    channel_layer_alias = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.address = upgrade.address(scope)
        self.opened_at = time.monotonic()
        self.close_code = GONE_WITHOUT_A_WORD
        self.frames = scope.get("extensions", {}).get("chatsite.frames")
        self.outgoing = Direct(self.frames) if self.frames is not None else Queued(send)
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
            self.text(text)
        else:
            self.bytes(message.get("bytes") or b"")

    async def opened(self, scope: dict[str, Any]) -> None: ...

    async def caught_up(self) -> None:
        """Wait while too much of what came is still to be done."""

    def closed(self, is_by_peer: bool) -> None: ...

    def pinged(self) -> None: ...

    def text(self, text: str) -> None: ...

    def bytes(self, data: bytes) -> None: ...

    def deliver(self, frame: Frame) -> None:
        if not self.outgoing.deliver(frame):
            self.hang_up(Close.TOO_SLOW)

    def hang_up(self, code: int) -> None:
        """Close after what was sent, and take nothing more; the server tells us when it is done."""
        if not self.outgoing.is_closed:
            self.close_code = int(code)
            self.outgoing.close(int(code))

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
    """A connection that takes part, in whichever dialect.

    Verbs that need the database wait in order in a queue of their own, with a bound, so that signs of life and the
    disconnect are never stuck behind them.
    """

    participant: Participant

    async def opened(self, scope: dict[str, Any]) -> None:
        person, dialect = scope["person"], scope["dialect"]
        room = None if dialect.subprotocol == codec.SUBPROTOCOL else upgrade.room_asked(scope)
        self.name = person.name
        self.patience = Patience(limits.BROKEN_FRAMES_PER_MINUTE)
        self.waiting: list[Asked] = []
        self.worker: asyncio.Task[None] | None = None
        self.participant = Participant(
            await runtime.running(), person, dialect(room, person.name), self.outgoing.deliver, self.hang_up
        )
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
        if hasattr(self, "participant"):
            if is_by_peer:
                self._write_what_waits()
            self.participant.close()
            if self.worker is not None:
                self.worker.cancel()

    def _write_what_waits(self) -> None:
        """Who leaves right after writing wants that to be kept, acknowledged or not."""
        for asked in self.waiting:
            if self.participant.is_write(asked):
                self._ask(asked)

    def pinged(self) -> None:
        self.participant.heard()

    def text(self, text: str) -> None:
        self.participant.heard()
        if len(text) > limits.FRAME_LIMIT_BYTES or len(text.encode()) > limits.FRAME_LIMIT_BYTES:
            self._broken(BrokenFrame("too_long", f"A frame has at most {limits.FRAME_LIMIT_BYTES:,} bytes."))
            return
        for asked in self.participant.dialect.asked(text):
            if isinstance(asked, BrokenFrame):
                self._broken(asked)
            else:
                self._do(asked)

    def bytes(self, data: bytes) -> None:
        self.participant.heard()
        if len(data) > limits.BINARY_LIMIT_BYTES:
            self._broken(BrokenFrame("too_long", f"A binary frame has at most {limits.BINARY_LIMIT_BYTES:,} bytes."))
            return
        try:
            asked = self.participant.dialect.asked_by_bytes(data)
        except BrokenFrame as broken:
            self._broken(broken)
        else:
            self._do(asked)

    def _do(self, asked: Asked) -> None:
        """At once when it can be; in order behind what waits already."""
        if self.outgoing.is_closed:
            return
        if isinstance(asked, verbs.Heartbeat):
            self.participant.heartbeat(asked)
            for join in self.participant.joins_wanting(asked):
                self._do(join)
        elif self.worker or self.participant.has_to_wait(asked):
            self._leave_to_worker(asked)
        else:
            self._ask(asked)

    def _leave_to_worker(self, asked: Asked) -> None:
        """Behind those that wait; when too many do, nothing more is read until all are done."""
        self.waiting.append(asked)
        if self.worker is None:
            self.worker = asyncio.create_task(self._work())
        if self.frames is not None and self._is_behind():
            self.frames.pause()

    async def caught_up(self) -> None:
        if self.worker is not None and self._is_behind():
            await asyncio.wait([self.worker])

    def _is_behind(self) -> bool:
        return len(self.waiting) >= limits.REQUESTS_IN_FLIGHT

    async def _work(self) -> None:
        try:
            while self.waiting:
                await self._ask_in_turn(self.waiting[0])
                del self.waiting[0]
        finally:
            self.worker = None
            if self.frames is not None:
                self.frames.resume()

    async def _ask_in_turn(self, asked: Asked) -> None:
        if self.outgoing.is_closed:
            return
        try:
            await self.participant.has_room()
            if (awaitable := self.participant.ask(asked)) is not None:
                await awaitable
        except Exception as problem:
            self.participant.refuse(asked, problem)

    def _ask(self, asked: Asked) -> None:
        try:
            self.participant.ask(asked)
        except Exception as problem:
            self.participant.refuse(asked, problem)

    def _broken(self, broken: BrokenFrame) -> None:
        self.participant.refuse(None, broken)
        if self.patience.is_lost():
            self.participant.bye(Close.PROTOCOL_BROKEN)

    def who(self) -> str:
        return self.name


class EchoConsumer(SocketConsumer):
    """Gives everything back to its sender: for finding out what works between a client and here."""

    async def opened(self, scope: dict[str, Any]) -> None:
        self.log_connect()
        self.deliver(Frame(codec.encode({"type": "hello", "now": codec.now(), "seen": _seen(scope)})))

    def text(self, text: str) -> None:
        self.deliver(Frame(text.encode()))

    def bytes(self, data: bytes) -> None:
        self.deliver(Frame(data, binary=True))


def _seen(scope: dict[str, Any]) -> dict[str, Any]:
    """What arrived here of the request: what a proxy changed shows in it."""
    names = ("host", "origin", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "user-agent")
    seen = {name.replace("-", "_"): upgrade.header(scope, name.encode()) for name in names}
    return {"scheme": scope.get("scheme", "ws"), "client": upgrade.address(scope), **seen}
