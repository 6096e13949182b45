"""What somebody wrote, until there is an answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from rig.backoff import backoff_s
from rig.line import Disconnected, Event, Refused

from .history import Write

RESEND_PAUSE_S = 0.05


class Outbox:
    """What was written and not yet answered: in order, one at a time, again until it is acknowledged or refused."""

    def __init__(self, submit: Callable[[Write], Awaitable[Event]]):
        self._submit = submit
        self._waiting: deque[Write] = deque()
        self._added = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, write: Write) -> None:
        self._waiting.append(write)
        self._added.set()

    async def deliver(self) -> None:
        while True:
            self._added.clear()
            while self._waiting:
                await self._deliver(self._waiting[0])
                self._waiting.popleft()
            await self._added.wait()

    async def _deliver(self, write: Write) -> None:
        attempt = 0
        while not write.refused:
            try:
                write.acknowledge(await self._submit(write))
                break
            except TimeoutError:
                continue
            except Disconnected:
                await asyncio.sleep(RESEND_PAUSE_S)
            except Refused as refusal:
                if refusal.is_for_later:
                    await asyncio.sleep(refusal.retry_after_s or backoff_s(attempt))
                    attempt += 1
                else:
                    write.refused = refusal.code
