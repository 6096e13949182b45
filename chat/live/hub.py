"""Delivers the changes of rooms to the sockets of this process, in number order, encoded once.

Local changes are delivered at once and published to the other processes; theirs arrive through the link. What the link
loses, repair.py finds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from chat import limits
from chat.wire.change import Change, Head

from .feed import Feed
from .repair import Repair, Source
from .room import ActiveRoom, Member

logger = logging.getLogger("chat.hub")


class Hub:
    """The rooms that are active here. `publish`, `subscribe` and `unsubscribe` are the link's."""

    def __init__(
        self,
        source: Source,
        publish: Callable[[str, str, dict[str, Any]], None],
        subscribe: Callable[[str], Awaitable[None]],
        unsubscribe: Callable[[str], Awaitable[None]],
    ):
        self._source = source
        self._publish = publish
        self._subscribe = subscribe
        self._unsubscribe = unsubscribe
        self._rooms: dict[int, ActiveRoom] = {}
        self._opening: dict[int, asyncio.Future[ActiveRoom]] = {}
        self._early: dict[int, list[Change]] = {}
        self._unflushed: set[ActiveRoom] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self.repair = Repair(source, self._rooms, self._flush, lambda room: self._take(room, ()))

    def start(self) -> None:
        self.repair.start()

    async def stop(self) -> None:
        await self.repair.stop()
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def room(self, room_id: int) -> ActiveRoom | None:
        return self._rooms.get(room_id)

    def is_looked_at(self, room_id: int) -> bool:
        room = self._rooms.get(room_id)
        return room is not None and bool(room.lookers)

    # Members

    async def open(self, room_id: int, slug: str, title: str) -> ActiveRoom:
        """The active room, kept open until `join` or `give_up`; made with the first member."""
        while True:
            room = self._rooms.get(room_id) or await self._opened(room_id, slug, title)
            if self._rooms.get(room_id) is room:
                room.arriving += 1
                return room

    async def _opened(self, room_id: int, slug: str, title: str) -> ActiveRoom:
        if (opening := self._opening.get(room_id)) is None:
            opening = self._opening[room_id] = asyncio.ensure_future(self._open(room_id, slug, title))
        return await asyncio.shield(opening)

    async def _open(self, room_id: int, slug: str, title: str) -> ActiveRoom:
        """Subscribe first and read second, so that nothing falls between.

        `_opening` ends in the same step in which the room is there: a caller that found it over, but the room closed
        again, would ask for ever.
        """
        self._early[room_id] = []
        try:
            await self._subscribe(_group(room_id))
            head, recent = await self._source.latest(room_id)
        except BaseException:
            self._close(room_id)
            raise
        finally:
            early = self._early.pop(room_id)
            del self._opening[room_id]
        room = ActiveRoom(room_id, slug, title, head.epoch, head.floor, _feed(head, recent))
        self._rooms[room_id] = room
        self._take(room, early)
        return room

    def join(self, room: ActiveRoom, member: Member) -> None:
        """From now on the member hears every change above the feed's head; what is due before goes to the others."""
        self._flush(room)
        room.add(member)
        room.arriving -= 1

    def give_up(self, room: ActiveRoom) -> None:
        """For a caller that opened a room and does not join it now."""
        room.arriving -= 1
        self._close_if_empty(room)

    def leave(self, room: ActiveRoom, member: Member) -> None:
        room.discard(member)
        self._close_if_empty(room)

    def _close_if_empty(self, room: ActiveRoom) -> None:
        if room.members or room.arriving or self._rooms.pop(room.id, None) is None:
            return
        if room.filling is not None:
            room.filling.cancel()
        self._close(room.id)

    def _close(self, room_id: int) -> None:
        task = asyncio.ensure_future(self._unsubscribe_unless_open(room_id))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _unsubscribe_unless_open(self, room_id: int) -> None:
        if room_id not in self._rooms and room_id not in self._opening:
            await self._unsubscribe(_group(room_id))

    # Changes

    def committed(self, room_id: int, changes: list[Change]) -> None:
        """Deliver what this process wrote, and publish it to the others."""
        self._publish(_group(room_id), "changes", {"room": room_id, "changes": [tuple(change) for change in changes]})
        self.arrived(room_id, changes)

    def arrived(self, room_id: int, changes: Iterable[Change]) -> None:
        """Take changes from wherever they come, in any order, however often."""
        if (room := self._rooms.get(room_id)) is not None:
            self._take(room, changes)
        elif room_id in self._early:
            self._early[room_id].extend(changes)

    def _take(self, room: ActiveRoom, changes: Iterable[Change]) -> None:
        due = room.feed.take(changes)
        if due:
            self._send(room, due)
        if room.feed.has_gap:
            self.repair.fill(room)

    def _send(self, room: ActiveRoom, changes: list[Change]) -> None:
        """At the end of this turn; later where the room rests, or where amendments were told just now."""
        loop = asyncio.get_running_loop()
        is_first = not room.outgoing
        room.outgoing.extend(changes)
        if room.may_wait(changes, loop.time()):
            if is_first:
                loop.call_later(limits.AMENDMENTS_COALESCED_S, self._flush, room)
            return
        if room.rests_until > loop.time():
            if not room.is_awaited:
                room.is_awaited = True
                loop.call_at(room.rests_until, self._flush, room)
            return
        if not self._unflushed:
            loop.call_soon(self._flush_all)
        self._unflushed.add(room)

    def _flush_all(self) -> None:
        rooms, self._unflushed = self._unflushed, set()
        for room in rooms:
            self._flush(room)

    def _flush(self, room: ActiveRoom) -> None:
        room.flush(asyncio.get_running_loop().time)

    # Typing: gone when it is gone

    def typed(self, room: ActiveRoom, name: str, is_on: bool) -> None:
        """Somebody here is typing, or has stopped."""
        self._publish(_group(room.id), "typing", {"room": room.id, "name": name, "on": is_on})
        self.typing(room.id, name, is_on)

    def typing(self, room_id: int, name: str, is_on: bool) -> None:
        if (room := self._rooms.get(room_id)) is not None:
            if not room.typing:
                asyncio.get_running_loop().call_later(limits.TYPING_COALESCED_S, room.tell_typing)
            room.typing[name] = is_on


def _feed(head: Head, recent: list[Change]) -> Feed:
    """A feed over the latest states. Fewer than asked for: they are all there are, back to the beginning."""
    is_all = len(recent) < limits.PRELOADED_CHANGES
    reach = head.floor if is_all else recent[0].version - 1
    newest = recent[-1].version if recent else 0
    return Feed(max(head.head, newest), reach, recent)


def _group(room_id: int) -> str:
    return f"room.{room_id}"
