"""One WebSocket to one server: frames of JSON both ways, requests with their answers, and the ways it can end."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from .people import Person

SUBPROTOCOL = "chat.v1"
REQUEST_TIMEOUT_S = 10
FRAME_LIMIT_BYTES = 2**24
LOST = 1006
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s

Frame = dict[str, Any]
decode = msgspec.json.decode
encode = msgspec.json.Encoder().encode


class Disconnected(Exception):
    """The line was lost before the answer came."""


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, error: Frame):
        super().__init__(error["code"])
        self.code: str = error["code"]
        self.retry_after_s: float | None = error.get("retry_after")

    @property
    def is_for_later(self) -> bool:
        return self.code in ("rate_limited", "unavailable")


class NoAnswer(Exception):
    """No server took the call."""


class Line:
    """Asks and hears. Whatever happens to it, it ends; it never comes back."""

    def __init__(self, connection: ClientConnection, server: int):
        self.server = server
        self._connection = connection
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Frame]] = {}

    async def frames(self) -> AsyncIterator[list[Frame]]:
        """What the server says, a list for every WebSocket message, until the line ends."""
        try:
            async for text in self._connection:
                yield [decode(line) for line in str(text).split("\n")]
        except ConnectionClosed:
            pass

    @property
    def close_code(self) -> int:
        return self._connection.close_code or LOST

    async def send(self, frame: Frame) -> None:
        try:
            await self._connection.send(encode(frame).decode())
        except ConnectionClosed:
            raise Disconnected from None

    async def ask(self, frame: Frame) -> Frame:
        """The answer; Refused, Disconnected, or TimeoutError."""
        id = next(self._ids)
        answer = self._waiting[id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await self.send({**frame, "id": id})
                return await answer
        finally:
            self._waiting.pop(id, None)

    def settle(self, frame: Frame) -> None:
        """Give an answer to the one who asked."""
        answer = self._waiting.get(frame.get("id", 0))
        if answer is None or answer.done():
            return
        if frame["type"] == "error":
            answer.set_exception(Refused(frame))
        else:
            answer.set_result(frame)

    def fail_all(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Disconnected())
                answer.exception()  # whoever asked may have been cancelled at the same moment

    async def hang_up(self) -> None:
        await self._connection.close()

    def cut(self) -> None:
        """The connection ends with an RST, without a word."""
        transport = self._connection.transport
        with suppress(OSError):  # it has ended by itself
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()

    def stop_reading(self) -> None:
        self._connection.transport.pause_reading()

    def read_on(self) -> None:
        self._connection.transport.resume_reading()


class Balancer:
    """What stands before the servers, without standing there: picks one at random, and another where nobody listens."""

    def __init__(self, urls: list[str]):
        self._urls = urls

    async def call(self, person: Person, chance: random.Random) -> Line:
        for server in chance.sample(range(len(self._urls)), len(self._urls)):
            try:
                return Line(await _open(self._urls[server] + person.query, person.headers), server)
            except ConnectionRefusedError:
                continue
            except (OSError, EOFError, InvalidHandshake) as problem:
                raise NoAnswer from problem
        raise NoAnswer


async def _open(url: str, headers: dict[str, str]) -> ClientConnection:
    return await connect(
        url,
        subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
        additional_headers=headers,
        max_size=FRAME_LIMIT_BYTES,
        compression=None,
        proxy=None,
        open_timeout=None,
        ping_interval=None,
        close_timeout=2,
    )
