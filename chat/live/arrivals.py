"""Connections between their accept and their first sign of life.

A process that was suspended opens late what its client has given up long ago. So a connection counts as one of its name
only once it has shown that it lives, and then it is as new as its accept:

    accept ──▶ Arrival ──▶ Newcomers.add ──▶ first frame, or still here after QUIET_NEWCOMER_S ──▶ counted
                  └── a drain waits for these
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from chat import limits

from .connections import Connected

ARRIVAL_PATIENCE_S = 8  # of the ten seconds that a drain may take


class Arrival:
    """A connection between the accept and `Runtime.add`: a drain waits for it."""

    under_way: ClassVar[set[Arrival]] = set()

    def __init__(self) -> None:
        self.accepted_at = time.time()

    def __enter__(self) -> Arrival:
        self.under_way.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.over()

    def over(self) -> None:
        self.under_way.discard(self)


async def all_arrived() -> None:
    """Wait, for a bounded time, until nobody is between the accept and `Runtime.add`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ARRIVAL_PATIENCE_S):
            while Arrival.under_way:  # noqa: ASYNC110 (once in the life of a process)
                await asyncio.sleep(0.02)


class Newcomers:
    """Connections that have not shown yet that they live; `counted(connected, accepted_at)` is called when they do."""

    def __init__(self, counted: Callable[[Connected, float], None]):
        self._counted = counted
        self._accepted_at: dict[Connected, float] = {}

    def add(self, newcomer: Connected, accepted_at: float) -> None:
        self._accepted_at[newcomer] = accepted_at
        if not newcomer.sends_heartbeats:
            self._wait_for_life(newcomer)

    def heard_from(self, connected: Connected) -> None:
        if (accepted_at := self._accepted_at.pop(connected, None)) is not None:
            self._counted(connected, accepted_at)

    def discard(self, connected: Connected) -> bool:
        """Say whether it was still a newcomer."""
        return self._accepted_at.pop(connected, None) is not None

    def _wait_for_life(self, newcomer: Connected) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + limits.QUIET_NEWCOMER_S
        loop.call_later(limits.QUIET_NEWCOMER_S, self._is_still_here, newcomer, due)

    def _is_still_here(self, newcomer: Connected, due: float) -> None:
        """Not gone by now is life enough, unless this process was suspended: the disconnect may be unread."""
        if newcomer not in self._accepted_at:
            return
        if asyncio.get_running_loop().time() - due > limits.QUIET_NEWCOMER_S / 2:
            self._wait_for_life(newcomer)
        else:
            self.heard_from(newcomer)
