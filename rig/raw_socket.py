"""A WebSocket by hand, RFC 6455 on a plain socket: tests say with it what no library would say."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import struct
from collections import deque
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PATIENCE_S = 20

CONTINUATION, TEXT, BINARY = 0x0, 0x1, 0x2
CLOSE, PING, PONG = 0x8, 0x9, 0xA

NO_CODE = 1005
GONE = 1006

Event = dict[str, Any]


class Frame(NamedTuple):
    """One frame as it came."""

    opcode: int
    payload: bytes
    is_final: bool = True


class NotUpgraded(Exception):
    """The server answered with an HTTP status instead."""

    def __init__(self, status: int, body: str):
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


class RawSocket:
    """One connection. Frames go out exactly as they are given; nothing is answered by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader = reader
        self._writer = writer
        self._lines: deque[str] = deque()
        self.subprotocol: str | None = None

    @classmethod
    async def open(cls, url: str, *subprotocols: str, **headers: str) -> RawSocket:
        """Shake hands at a ws:// address, or raise NotUpgraded. `headers`: `x_real_name="…"` is X-Real-Name."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        given = {name.replace("_", "-").title(): value for name, value in headers.items()}
        if subprotocols:
            given["Sec-Websocket-Protocol"] = ", ".join(subprotocols)
        socket = cls(reader, writer)
        try:
            await socket._upgrade(url.removeprefix(f"ws://{parts.netloc}"), {"Host": parts.netloc} | given)
        except BaseException:
            writer.close()
            raise
        return socket

    async def __aenter__(self) -> RawSocket:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.vanish()

    async def _upgrade(self, target: str, headers: dict[str, str]) -> None:
        usual = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-Websocket-Version": "13",
            "Sec-Websocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in (usual | headers).items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        async with asyncio.timeout(PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *answered = head.strip().split("\r\n")
            if (code := int(status.split()[1])) != 101:
                self._writer.write_eof()
                raise NotUpgraded(code, (await self._reader.read()).decode(errors="replace"))
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in answered)}
        self.subprotocol = fields.get("sec-websocket-protocol")

    # Out

    async def send_frame(
        self, opcode: int, payload: bytes = b"", *, is_final: bool = True, is_masked: bool = True, rsv: int = 0
    ) -> None:
        await self.send_raw(wire(opcode, payload, is_final=is_final, is_masked=is_masked, rsv=rsv))

    async def send_raw(self, data: bytes) -> None:
        """Bytes below the level of frames."""
        self._writer.write(data)
        await self._writer.drain()

    @property
    def unsent_bytes(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    async def send_text(self, text: str) -> None:
        await self.send_frame(TEXT, text.encode())

    async def send_bytes(self, data: bytes) -> None:
        await self.send_frame(BINARY, data)

    async def send_fragments(self, opcode: int, *fragments: bytes) -> None:
        """One message in several frames."""
        for number, fragment in enumerate(fragments):
            is_last = number == len(fragments) - 1
            await self.send_frame(CONTINUATION if number else opcode, fragment, is_final=is_last)

    async def send(self, type: str, **fields: Any) -> None:
        """A verb of chat.v1."""
        await self.send_text(json.dumps({"type": type, **fields}))

    async def send_close(self, code: int = 1000) -> None:
        await self.send_frame(CLOSE, struct.pack("!H", code))

    def vanish(self) -> None:
        """Be gone without a word."""
        self._writer.transport.abort()

    # In

    async def frame(self) -> Frame:
        """The next frame of any kind. Servers may not mask theirs."""
        async with asyncio.timeout(PATIENCE_S):
            first, second = await self._reader.readexactly(2)
            assert not second & 0x80, "a masked frame from the server"
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
            return Frame(first & 0x7F, await self._reader.readexactly(length), bool(first & 0x80))

    async def text(self) -> str:
        """The next frame, which is text."""
        frame = await self.frame()
        assert frame.opcode == TEXT, frame
        return frame.payload.decode()

    async def bytes(self) -> bytes:
        """The next frame, which is binary."""
        frame = await self.frame()
        assert frame.opcode == BINARY, frame
        return frame.payload

    async def event(self) -> Event:
        """The next event of chat.v1, one line of a frame."""
        if not self._lines:
            self._lines.extend((await self.text()).split("\n"))
        return json.loads(self._lines.popleft())

    async def told(self, type: str, **fields: Any) -> Event:
        """The next event of that type with those fields; others are passed over.

        A message may come in a page that nobody asked for: the server read it from the database before it was told.
        """
        while True:
            event = await self.event()
            if type == "message" and event["type"] == "joined" and "id" not in event:
                self._lines.extendleft(json.dumps(message) for message in reversed(event["messages"]))
            if event["type"] == type and all(event.get(name) == value for name, value in fields.items()):
                return event

    async def close_code(self) -> int:
        """Pass over everything until the end of the connection; the code it ended with."""
        try:
            while (frame := await self.frame()).opcode != CLOSE:
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            return GONE
        with contextlib.suppress(ConnectionError):
            await self.send_frame(CLOSE, frame.payload[:2])
        return struct.unpack("!H", frame.payload[:2])[0] if frame.payload else NO_CODE

    async def is_cut(self) -> bool:
        """Whether TCP ends as well."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read() == b""


def wire(opcode: int, payload: bytes, *, is_final: bool = True, is_masked: bool = True, rsv: int = 0) -> bytes:
    """A frame of a client as it travels."""
    mask = os.urandom(4) if is_masked else b""
    header = _header(is_final << 7 | rsv << 4 | opcode, is_masked << 7, len(payload))
    return header + mask + (_masked(payload, mask) if mask else payload)


def _header(first: int, masked: int, length: int) -> bytes:
    if length < 126:
        return struct.pack("!BB", first, masked | length)
    if length < 65_536:
        return struct.pack("!BBH", first, masked | 126, length)
    return struct.pack("!BBQ", first, masked | 127, length)


def _masked(payload: bytes, mask: bytes) -> bytes:
    key = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)])
    return (int.from_bytes(payload) ^ key).to_bytes(len(payload))
