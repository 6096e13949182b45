"""What a connection has asked and is not yet answered: in order, and bounded.

A request that needs nothing is done at once. One that has to wait, and all that come behind it, wait in order; so signs
of life and the disconnect are never stuck behind them. When too much waits, nothing more is read from the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from chat import limits
from chat.wire.dialects import Request

Do = Callable[[Request], Awaitable[None] | None]


class Intake:
    """`do(request)` does it, or returns what has to be awaited; it may raise, and `refuse` says so to the client.

    `has_to_wait(request)`: whether `do` would return something to await. `pause` and `resume` are the socket's.
    """

    def __init__(
        self,
        do: Do,
        has_to_wait: Callable[[Request], bool],
        refuse: Callable[[Request, Exception], None],
        pause: Callable[[], None],
        resume: Callable[[], None],
    ):
        self._do, self._has_to_wait, self._refuse = do, has_to_wait, refuse
        self._pause, self._resume = pause, resume
        self._waiting: list[Request] = []
        self._worker: asyncio.Task[None] | None = None
        self._writes = 0
        self._write_done: asyncio.Event | None = None  # there while the worker waits for it

    def take(self, request: Request) -> None:
        """At once when it can be; in order behind what waits already."""
        if self._worker is None and not self._is_full() and not self._has_to_wait(request):
            self.do_now(request)
            return
        self._waiting.append(request)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        if self._is_behind():
            self._pause()

    async def caught_up(self) -> None:
        """Wait while too much of what came is still to be done."""
        if self._worker is not None and self._is_behind():
            await asyncio.wait([self._worker])

    def write_begun(self) -> None:
        self._writes += 1

    def write_done(self) -> None:
        self._writes -= 1
        if self._write_done is not None:
            self._write_done.set()
            self._write_done = None

    def close(self) -> list[Request]:
        """Do nothing more; return what still waited."""
        if self._worker is not None:
            self._worker.cancel()
        waiting, self._waiting = self._waiting, []
        return waiting

    def _is_full(self) -> bool:
        return self._writes >= limits.REQUESTS_IN_FLIGHT

    def _is_behind(self) -> bool:
        return len(self._waiting) >= limits.REQUESTS_IN_FLIGHT

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._do_in_turn(self._waiting[0])
                del self._waiting[:1]
        finally:
            self._worker = None
            self._resume()

    async def _do_in_turn(self, request: Request) -> None:
        try:
            await self._until_not_full()
            if (awaitable := self._do(request)) is not None:
                await awaitable
        except Exception as problem:
            self._refuse(request, problem)

    async def _until_not_full(self) -> None:
        while self._is_full():
            self._write_done = self._write_done or asyncio.Event()
            await self._write_done.wait()

    def do_now(self, request: Request) -> None:
        """For a request that needs nothing to be awaited."""
        try:
            self._do(request)
        except Exception as problem:
            self._refuse(request, problem)
