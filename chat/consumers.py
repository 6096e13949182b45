"""The sockets: a frame in becomes a verb, an answer becomes a frame out. Decides nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from channels.consumer import AsyncConsumer

from . import conf, middleware, protocol, runtime
from .conversation import Conversation
from .dialects import Asked
from .outgoing import Outgoing
from .patience import Patience
from .protocol import BrokenFrame, Close, Frame, Refusal

logger = logging.getLogger("chat.connections")

GONE_WITHOUT_A_WORD = 1006


class SocketConsumer(AsyncConsumer):
    """One accepted socket, served until it closes, whatever happens.

    Not Channels' own way in two places, both measured (docs/decisions.md): no channel of its own in the layer,
    since the hub delivers; and no hop through the database thread for each frame, since nothing here touches the
    database.
    """

    channel_layer_alias = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        self.base_send = send
        self.outgoing = Outgoing(scope, send)
        self.opened_at = time.monotonic()
        self.close_code = GONE_WITHOUT_A_WORD
        try:
            await self.opened()
            await self._serve(receive)
        finally:
            self.outgoing.abandon()
            await self.closed()
            self._log_close()

    async def _serve(self, receive: Any) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            if self.outgoing.is_closed:
                continue
            if (text := message.get("text")) is not None:
                await self.text(text)
            else:
                await self.bytes(message.get("bytes") or b"")
        self.close_code = message.get("code") or self.close_code

    async def opened(self) -> None: ...

    async def closed(self) -> None: ...

    async def text(self, text: str) -> None: ...

    async def bytes(self, data: bytes) -> None: ...

    def deliver(self, frame: Frame) -> None:
        if not self.outgoing.deliver(frame):
            self.hang_up(Close.TOO_SLOW)

    def hang_up(self, code: int) -> None:
        """Close after what was sent, and take nothing more; the server tells us when it is done."""
        if not self.outgoing.is_closed:
            self.close_code = int(code)
            self.outgoing.close(int(code))

    def _log_close(self) -> None:
        duration_s = time.monotonic() - self.opened_at
        logger.info("close %s %s after %.1f s with %d", self.who(), self._address(), duration_s, self.close_code)

    def log_connect(self) -> None:
        logger.info("connect %s %s", self.who(), self._address())

    def who(self) -> str:
        return "-"

    def _address(self) -> str:
        return middleware.address(self.scope)


class ChatConsumer(SocketConsumer):
    """A connection that takes part, in whichever dialect.

    Verbs that need the database wait in order in a queue of their own, with a bound, so that signs of life and the
    disconnect are never stuck behind them.
    """

    conversation: Conversation
    worker: asyncio.Task[None] | None = None

    async def opened(self) -> None:
        dialect = self.scope["dialect"]
        room = None if dialect.subprotocol == protocol.SUBPROTOCOL else middleware.room_asked(self.scope)
        self.patience = Patience(conf.BROKEN_FRAMES_PER_MINUTE)
        self.waiting: list[Asked] = []
        if (on_drain := self.scope.get("extensions", {}).get("chatsite.drain")) is not None:
            on_drain(runtime.drain)
        self.conversation = Conversation(
            await runtime.running(),
            self.scope["person"],
            dialect(room, self.scope["person"].name),
            self.outgoing.deliver,
            self.hang_up,
        )
        self.log_connect()
        await self._open(self.conversation)
        self.scope["arrival"].over()

    async def _open(self, conversation: Conversation) -> None:
        try:
            await conversation.open(self.scope["arrival"].accepted_at)
        except Refusal as trouble:
            conversation.refuse(None, trouble)
            conversation.bye(Close.OVERLOADED, trouble.retry_after)

    async def closed(self) -> None:
        if hasattr(self, "conversation"):
            self.conversation.close()
        if self.worker is not None:
            self.worker.cancel()

    async def text(self, text: str) -> None:
        self.conversation.heard()
        if len(text) > conf.FRAME_LIMIT_BYTES or len(text.encode()) > conf.FRAME_LIMIT_BYTES:
            self._broken(BrokenFrame("too_long", f"A frame has at most {conf.FRAME_LIMIT_BYTES:,} bytes."))
            return
        for asked in self.conversation.dialect.asked(text):
            if self.outgoing.is_closed:
                break
            if isinstance(asked, BrokenFrame):
                self._broken(asked)
            else:
                await self._do(asked)

    async def bytes(self, data: bytes) -> None:
        self.conversation.heard()
        if len(data) > conf.BINARY_LIMIT_BYTES:
            self._broken(BrokenFrame("too_long", f"A binary frame has at most {conf.BINARY_LIMIT_BYTES:,} bytes."))
            return
        try:
            asked = self.conversation.dialect.asked_by_bytes(data)
        except BrokenFrame as broken:
            self._broken(broken)
        else:
            await self._do(asked)

    async def _do(self, asked: Asked) -> None:
        """At once when it can be; in order behind what waits already."""
        if isinstance(asked, protocol.Heartbeat):
            self.conversation.heartbeat(asked)
            for join in self.conversation.joins_wanting(asked):
                await self._do(join)
        elif self.worker or self.conversation.needs_database(asked):
            await self._leave_to_worker(asked)
        else:
            await self._ask(asked)

    async def _leave_to_worker(self, asked: Asked) -> None:
        """Behind those that wait; when too many do, nothing more is read until all are done."""
        if self.worker and len(self.waiting) >= conf.REQUESTS_IN_FLIGHT:
            await asyncio.wait([self.worker])
        self.waiting.append(asked)
        if self.worker is None:
            self.worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self.waiting:
                await self._ask(self.waiting.pop(0))
        finally:
            self.worker = None

    async def _ask(self, asked: Asked) -> None:
        if self.outgoing.is_closed:
            return
        try:
            await self.conversation.has_room()
            if (awaitable := self.conversation.ask(asked)) is not None:
                await awaitable
        except Exception as problem:
            self.conversation.refuse(asked, problem)

    def _broken(self, broken: BrokenFrame) -> None:
        self.conversation.refuse(None, broken)
        if self.patience.is_lost():
            self.conversation.bye(Close.PROTOCOL_BROKEN)

    def who(self) -> str:
        return self.scope["person"].name


class EchoConsumer(SocketConsumer):
    """Gives everything back to its sender: for finding out what works between a client and here."""

    async def opened(self) -> None:
        self.log_connect()
        self.deliver(Frame(protocol.encode({"type": "hello", "now": protocol.now(), "seen": self._seen()})))

    async def text(self, text: str) -> None:
        self.deliver(Frame(text.encode()))

    async def bytes(self, data: bytes) -> None:
        self.deliver(Frame(data, binary=True))

    def _seen(self) -> dict[str, Any]:
        """What arrived here of the request: what a proxy changed shows in it."""
        names = ("host", "origin", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "user-agent")
        seen = {name.replace("-", "_"): middleware.header(self.scope, name.encode()) for name in names}
        return {"scheme": self.scope.get("scheme", "ws"), "client": middleware.address(self.scope), **seen}
