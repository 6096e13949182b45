"""Waiting for something outside of this program: nothing announces it, so it is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .history import FOREVER, now

LOOK_S = 0.05


async def until(is_so: Callable[[], bool], timeout_s: float = FOREVER) -> bool:
    """Wait until it is so; say whether it came to be."""
    deadline = now() + timeout_s
    while not is_so():
        if now() > deadline:
            return False
        await asyncio.sleep(LOOK_S)
    return True
