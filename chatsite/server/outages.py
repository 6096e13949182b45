"""What the log says while something does not work: one line when it begins, one when it is over; a traceback once."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from redis import exceptions

# Redis is away, starts, or stands still. Anything else is a fault: a missing right, a library that changed, a bug.
REDIS_IS_AWAY = (OSError, TimeoutError, exceptions.ConnectionError, exceptions.TimeoutError)

CALM_S = 2.0  # without trouble: what fails again sooner is the same outage
FORGOTTEN_S = 60.0  # nobody tried, so nobody said that it was over
REASONS_LIMIT = 5
SAME_FAULT_S = 600.0
PAUSE_S = 1.0


class Outage:
    """Something outside, such as the database: each reason is told once while it lasts, and then that it is over.

    Any thread may call it. `is_over` costs one comparison while all is well.
    """

    def __init__(self, logger: logging.Logger, begins: str, over: str):
        self._logger = logger
        self._begins, self._over = begins, over
        self._reasons: set[str] = set()
        self._noted_at = 0.0
        self._lock = threading.Lock()

    def note(self, problem: object) -> None:
        """It failed, for this reason."""
        reason = str(problem).strip() or type(problem).__name__
        with self._lock:
            now = time.monotonic()
            if now - self._noted_at > FORGOTTEN_S:
                self._reasons.clear()
            self._noted_at = now
            if reason in self._reasons or len(self._reasons) >= REASONS_LIMIT:
                return
            self._reasons.add(reason)
        self._logger.warning("%s: %s", self._begins, reason)

    def is_over(self) -> None:
        """It worked."""
        if not self._reasons or time.monotonic() - self._noted_at < CALM_S:
            return
        with self._lock:
            had_begun = bool(self._reasons)
            self._reasons.clear()
        if had_begun:
            self._logger.warning("%s", self._over)


class Faults:
    """What should never happen, and may then happen every second: a traceback for the first of a kind, later again."""

    def __init__(self, logger: logging.Logger):
        self._logger = logger
        self._told_at: dict[tuple[str, type[BaseException]], float] = {}

    def tell(self, what: str, problem: BaseException) -> None:
        kind, now = (what, type(problem)), time.monotonic()
        if now - self._told_at.get(kind, -SAME_FAULT_S) >= SAME_FAULT_S:
            self._told_at[kind] = now
            self._logger.error("%s (told once in %d minutes)", what, SAME_FAULT_S // 60, exc_info=problem)


async def forever(round_: Callable[[], Awaitable[None]], faults: Faults, what: str) -> None:
    """Do rounds without end: one that fails is told, and the next one follows after a pause."""
    while True:
        try:
            await round_()
        except Exception as problem:
            faults.tell(what, problem)
            await asyncio.sleep(PAUSE_S)


def spawn(work: Coroutine[Any, Any, Any], faults: Faults, what: str) -> asyncio.Task[Any]:
    """A task that nobody awaits: how it fails is told at once, not when it is collected as garbage."""

    def ended(task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (problem := task.exception()) is not None:
            faults.tell(what, problem)

    task = asyncio.ensure_future(work)
    task.add_done_callback(ended)
    return task
