"""What goes out on one socket: straight to the wire where the server offers it, through a bounded queue elsewhere.

Both send frames in order, without awaiting, so that many sockets can be served in one turn of the loop.
`deliver(frame)` is False when the reader is too slow: nothing more is taken, and the owner closes the connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from chat import limits
from chat.wire.frame import Frame

FLUSH_PATIENCE_S = 1

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Direct:
    """The server's own frames. `deliver` *is* the server's function: a message to 200 people is 200 times one call."""

    __slots__ = ("_frames", "deliver", "is_closed")

    def __init__(self, frames: Any):
        self._frames = frames
        self.deliver: Callable[[Frame], bool] = frames.write
        self.is_closed = False

    def close(self, code: int) -> None:
        """Send the close frame behind what was sent; what comes later is dropped, a second close too."""
        if not self.is_closed:
            self.is_closed = True
            self._frames.close(code)

    def abandon(self) -> None:
        """The peer is gone."""
        self.is_closed = True


class Queued:
    """Frames that wait in turn for ASGI's `send`."""

    def __init__(self, send: Send):
        self._send = send
        self._queue: deque[Frame] = deque()
        self._queued_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self.is_closed = False

    def deliver(self, frame: Frame) -> bool:
        if self.is_closed:
            return True
        if self._queued_bytes > limits.OUTGOING_LIMIT_BYTES:
            return False
        self._queue.append(frame)
        self._queued_bytes += len(frame.payload)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return True

    def close(self, code: int) -> None:
        """Send what waits, then the close frame; what comes later is dropped, a second close too."""
        if not self.is_closed:
            self.is_closed = True
            self._closing = asyncio.create_task(self._finish(code))

    def abandon(self) -> None:
        """The peer is gone: drop everything."""
        self.is_closed = True
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()

    async def _drain(self) -> None:
        try:
            while self._queue:
                frame = self._queue.popleft()
                self._queued_bytes -= len(frame.payload)
                await self._send(_as_message(frame))
        finally:
            self._task = None

    async def _finish(self, code: int) -> None:
        if self._task is not None:
            await asyncio.wait([self._task], timeout=FLUSH_PATIENCE_S)
        await self._send({"type": "websocket.close", "code": code})


def _as_message(frame: Frame) -> dict[str, Any]:
    if frame.binary:
        return {"type": "websocket.send", "bytes": frame.payload}
    return {"type": "websocket.send", "text": frame.payload.decode()}
