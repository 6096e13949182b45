"""A line between a client and a server that tests can cut: frozen, it is a peer that vanished without a FIN."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

PIECE_BYTES = 64 * 1024


class Proxy:
    """Passes bytes both ways, until it is frozen: the connections stay open, and nothing comes through.

    `change` is what it does to what a client sends, piece by piece.
    """

    def __init__(self, ws_url: str, change: Callable[[bytes], bytes] = bytes):
        self._target = urlsplit(ws_url)
        self._change = change
        self._passing = asyncio.Event()
        self._passing.set()
        self._lines: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=PIECE_BYTES)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}{self._target.path}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def freeze(self) -> None:
        self._passing.clear()

    def thaw(self) -> None:
        self._passing.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port, limit=PIECE_BYTES)
        for line in (self._pass(reader, back, self._change), self._pass(there, writer, bytes)):
            task = asyncio.create_task(line)
            self._lines.add(task)
            task.add_done_callback(self._lines.discard)

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, change: Callable[[bytes], bytes]
    ) -> None:
        try:
            while piece := await source.read(PIECE_BYTES):
                await self._passing.wait()
                sink.write(change(piece))
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.transport.abort()
