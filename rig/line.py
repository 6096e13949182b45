"""One WebSocket to one server: events of `chat.v1` both ways, requests with their answers, and the ways it can end."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

SUBPROTOCOL = "chat.v1"
REQUEST_TIMEOUT_S = 10
FRAME_LIMIT_BYTES = 2**24
LOST = 1006
STAYS_AWAY = range(4000, 4100)
COMES_WHEN_TOLD = range(4200, 4300)
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s
NOT_OPENED = (OSError, EOFError, InvalidHandshake, ConnectionClosed)

Event = dict[str, Any]


class Disconnected(Exception):
    """The line was lost before the answer came."""


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, error: Event):
        super().__init__(error["code"])
        self.code: str = error["code"]
        self.retry_after_s: float | None = error.get("retry_after")

    @property
    def is_for_later(self) -> bool:
        return self.code in ("rate_limited", "unavailable")


class Line:
    """Asks and hears. Whatever happens to it, it ends; it never comes back."""

    def __init__(self, connection: ClientConnection):
        self._connection = connection
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Event]] = {}

    @classmethod
    async def open(cls, url: str, **options: Any) -> Self:
        """`options` are those of websockets. NOT_OPENED has what it fails with."""
        usual = {"max_size": FRAME_LIMIT_BYTES, "compression": None, "proxy": None}
        return cls(await connect(url, subprotocols=[SUBPROTOCOL], **usual | options))  # type: ignore[list-item]

    async def events(self) -> AsyncIterator[list[Event]]:
        """What the server says, a list for every WebSocket message, until the line ends."""
        with suppress(ConnectionClosed):
            async for text in self._connection:
                yield [json.loads(line) for line in str(text).split("\n")]

    @property
    def close_code(self) -> int:
        return self._connection.close_code or LOST

    async def send(self, verb: Event) -> None:
        await self.send_text(json.dumps(verb))

    async def send_text(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed:
            raise Disconnected from None

    async def ask(self, verb: Event) -> Event:
        """The answer; Refused, Disconnected, or TimeoutError."""
        id = next(self._ids)
        answer = self._waiting[id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await self.send({**verb, "id": id})
                return await answer
        finally:
            self._waiting.pop(id, None)

    def settle(self, event: Event) -> None:
        """Give an answer to the one who asked."""
        answer = self._waiting.get(event.get("id", 0))
        if answer is None or answer.done():
            return
        if event["type"] == "error":
            answer.set_exception(Refused(event))
        else:
            answer.set_result(event)

    def fail_all(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Disconnected())
                answer.exception()  # whoever asked may have been cancelled at the same moment

    async def hang_up(self) -> None:
        await self._connection.close()

    def abort(self) -> None:
        """What still comes through it is not waited for."""
        self._connection.transport.abort()

    def reset(self) -> None:
        """The connection ends with an RST, without a word."""
        with suppress(OSError):  # it has ended by itself
            transport_socket = self._connection.transport.get_extra_info("socket")
            transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.abort()

    def stop_reading(self) -> None:
        self._connection.transport.pause_reading()

    def read_on(self) -> None:
        self._connection.transport.resume_reading()
