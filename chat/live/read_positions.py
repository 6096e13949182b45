"""How far people have read: kept by the process that heard it, and written together, seldom.

One by one, three thousand readers of a message would make the next one a second late. What is not written yet is
written when the reader's last connection here goes, when the process goes, and before somebody asks for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from chat import limits
from chat.rooms.reading import Place
from chat.wire.refusals import Refusal

logger = logging.getLogger("chat.reading")

GONE_TOGETHER_S = 0.05


class Position(NamedTuple):
    """Somebody has read a room up to the message with this ordinal."""

    room: str
    ordinal: int


Positions = dict[int, dict[int, Position]]  # user, room


class ReadPositions:
    """The furthest position of each person in each room, as heard here; `write(positions)` keeps them."""

    def __init__(self, write: Callable[[Mapping[Place, int]], Awaitable[None]]):
        self._write = write
        self._unwritten: Positions = {}
        self._being_written: Positions = {}
        self._writing = asyncio.Lock()
        self._soon: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._write_later(limits.READ_POSITIONS_WRITTEN_S)

    async def stop(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.written()

    def move(self, user_id: int, room_id: int, position: Position) -> bool:
        """Take a position; say whether it is further than what is heard here and not yet written."""
        known = self._unwritten.get(user_id, {}).get(room_id) or self._being_written.get(user_id, {}).get(room_id)
        if known is not None and known.ordinal >= position.ordinal:
            return False
        self._unwritten.setdefault(user_id, {})[room_id] = position
        return True

    def of_user(self, user_id: int) -> list[Position]:
        """What is not written yet of somebody."""
        return list({**self._being_written.get(user_id, {}), **self._unwritten.get(user_id, {})}.values())

    def gone(self, user_id: int) -> None:
        """The user's last connection here is over: what is known of them is written now, with others that go."""
        if user_id in self._unwritten:
            self._write_later(GONE_TOGETHER_S)

    async def written(self) -> None:
        """Write everything that is known by now. What could not be written stays, for the next time."""
        async with self._writing:
            self._being_written, self._unwritten = self._unwritten, {}
            try:
                if self._being_written:
                    await self._write(_ordinals(self._being_written))
            except Refusal:
                self._take_back()
            finally:
                self._being_written = {}

    def _take_back(self) -> None:
        for user_id, of_user in self._being_written.items():
            self._unwritten[user_id] = of_user | self._unwritten.get(user_id, {})

    def _write_later(self, after_s: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + after_s
        if self._soon is None or self._soon.when() > due:
            if self._soon is not None:
                self._soon.cancel()
            self._soon = loop.call_at(due, self._write_now)

    def _write_now(self) -> None:
        self._soon = None
        self._write_later(limits.READ_POSITIONS_WRITTEN_S)
        task = asyncio.create_task(self._write_watched())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_watched(self) -> None:
        try:
            await self.written()
        except Exception:
            logger.exception("the reading positions could not be written")


def _ordinals(positions: Positions) -> dict[Place, int]:
    return {
        (user_id, room_id): position.ordinal
        for user_id, of_user in positions.items()
        for room_id, position in of_user.items()
    }
