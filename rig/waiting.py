"""Waiting for what nothing announces: another process that starts or ends, the end of somebody else's task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60
POLL_S = 0.02


async def until(is_so: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Until it is so: look again and again, and give up with what was waited for."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain for {is_so.__qualname__}"
        await asyncio.sleep(POLL_S)


def wait_until(is_so: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """The same for a test without a loop."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain for {is_so.__qualname__}"
        time.sleep(POLL_S)


async def turns(count: int = 1) -> None:
    """Let the loop go round: everything that can go on without waiting for something outside does."""
    for _ in range(count):
        await asyncio.sleep(0)


async def all_done() -> None:
    """Long enough for every other task of this loop to wait for something that only the test can give it."""
    await turns(500)
