"""What the link lost: found missing by its number, or by the comparison of heads, and read from the database."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from chat import limits
from chat.wire import events
from chat.wire.change import Change, Head, Page
from chat.wire.refusals import Refusal

from .feed import Feed
from .room import ActiveRoom

logger = logging.getLogger("chat.repair")


class Source(Protocol):
    """What is read from the database: messages/pages.py, handed in."""

    async def heads(self, room_ids: list[int]) -> list[Head]: ...
    async def changes(self, room_id: int, after: int) -> Page: ...
    async def latest(self, room_id: int) -> tuple[Head, list[Change]]: ...


class Repair:
    """Makes Redis optional: rooms that are behind the database are brought up to it (promise G4).

    `rooms` are those that are active here; `flush(room)` sends what is due, `settle(room)` what became due.
    """

    def __init__(
        self,
        source: Source,
        rooms: dict[int, ActiveRoom],
        flush: Callable[[ActiveRoom], None],
        settle: Callable[[ActiveRoom], None],
    ):
        self._source = source
        self._rooms = rooms
        self._flush = flush
        self._settle = settle
        self._check: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._check = asyncio.create_task(self._compare_heads())

    async def stop(self) -> None:
        tasks = [room.filling for room in self._rooms.values() if room.filling]
        for task in [*tasks, *([self._check] if self._check else [])]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fill(self, room: ActiveRoom, expected: int = 0) -> None:
        """Read what is missing, unless it still arrives. `expected`: a head that is known to exist."""
        if room.filling is None:
            room.filling = asyncio.create_task(self._fill(room, expected))

    async def refresh(self, room: ActiveRoom) -> bool:
        """Deliver a page of what the database has beyond the feed; say whether there was anything."""
        was = room.feed.head
        page = await self._source.changes(room.id, was)
        self._flush(room)
        self._tell_filled(room, page)
        return room.feed.head > was

    async def _fill(self, room: ActiveRoom, expected: int) -> None:
        try:
            await asyncio.sleep(limits.HOLD_S)
            while room.feed.has_gap or room.feed.head < expected:
                if not await self.refresh(room):
                    room.feed.forget_held()  # it is not in the database either
                    break
        except Refusal:
            logger.debug("room %s: the missing changes cannot be read just now", room.slug)
        except Exception:
            logger.exception("room %s: the missing changes could not be read", room.slug)
        finally:
            room.filling = None

    def _tell_filled(self, room: ActiveRoom, page: Page) -> None:
        was = room.feed.head
        states = room.feed.fill(page.changes, page.head)
        if room.feed.head > was:
            room.tell_states(was, states, page.moved)
        self._settle(room)

    async def _compare_heads(self) -> None:
        """Once a second one query finds every room that is behind."""
        while True:
            await asyncio.sleep(limits.HEAD_CHECK_S * random.uniform(0.8, 1.2))
            try:
                for room_ids in _portions(list(self._rooms)):
                    self.compare(await self._source.heads(room_ids))
            except Refusal:
                logger.debug("the heads cannot be read just now")
            except Exception:
                logger.exception("the heads could not be compared")

    def compare(self, heads: Sequence[Head]) -> None:
        for head in heads:
            room = self._rooms.get(head.room_id)
            if room is None:
                continue
            if head.epoch != room.epoch:
                _start_afresh(room, head)
            elif head.head > room.feed.head:  # or on its way: most often that is all
                self.fill(room, expected=head.head)
            room.floor = head.floor
            room.retitle(head.title or room.title)


def _start_afresh(room: ActiveRoom, head: Head) -> None:
    """The database was restored: what was delivered is not what is kept."""
    room.epoch, room.feed = head.epoch, Feed(head.head)
    room.tell(events.Resync(room=room.slug, reason="the room was restored"))


def _portions(room_ids: list[int]) -> Iterator[list[int]]:
    """So many rooms a query that none holds up the loop."""
    for start in range(0, len(room_ids), limits.HEADS_PER_QUERY):
        yield room_ids[start : start + limits.HEADS_PER_QUERY]
