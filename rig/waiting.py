"""Waiting for what nothing announces: another process that starts or ends, the end of somebody else's task."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 60
POLL_S = 0.02


async def until(is_so: Callable[[], Any], patience_s: float = PATIENCE_S, every_s: float = POLL_S) -> Any:
    """Look again and again until it is so, and return what was found; the look may be a coroutine."""
    found = await found_within(patience_s, is_so, every_s)
    assert found, f"waited {patience_s} s in vain for {is_so.__qualname__}"
    return found


async def found_within(patience_s: float, is_so: Callable[[], Any], every_s: float = POLL_S) -> Any:
    """The same for those who can do without it: what the last look found, which may be nothing."""
    deadline = time.monotonic() + patience_s
    while True:
        found = is_so()
        if inspect.isawaitable(found):
            found = await found
        if found or time.monotonic() >= deadline:
            return found
        await asyncio.sleep(every_s)


def wait_until(is_so: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """The same where there is no loop."""
    deadline = time.monotonic() + patience_s
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain for {is_so.__qualname__}"
        time.sleep(POLL_S)
    return found


async def turns(count: int = 1) -> None:
    """Let the loop go round: everything that can go on without waiting for something outside does."""
    for _ in range(count):
        await asyncio.sleep(0)


async def all_done() -> None:
    """Long enough for every other task of this loop to wait for something that only the test can give it."""
    await turns(500)
