"""Closes connections that promised heartbeats and send nothing: they are gone, whatever TCP says (promise G5)."""

from __future__ import annotations

import asyncio
import time

from chat import limits
from chat.wire.closes import Close

from .connections import Connections

CHECK_INTERVAL_S = 1


class Silence:
    """Checks once a second how long each connection has been silent."""

    def __init__(self, connections: Connections):
        self._connections = connections
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        checked_at = time.monotonic()
        while True:
            await asyncio.sleep(CHECK_INTERVAL_S)
            suspended_s = time.monotonic() - checked_at - CHECK_INTERVAL_S
            checked_at = time.monotonic()
            self.check(checked_at, suspended_s)

    def check(self, now: float, suspended_s: float) -> None:
        """`suspended_s`: this process was not running so long; what clients sent meanwhile is still to be read."""
        if suspended_s > CHECK_INTERVAL_S:
            for connected in self._connections:
                connected.heard_at += suspended_s
        for connected in self._connections:
            if connected.heard_at < now - limits.HEARTBEAT_DEADLINE_S and connected.sends_heartbeats:
                connected.bye(Close.HEARTBEAT_MISSED)
