"""Delivers the changes of rooms to the sockets of this process, in number order, encoded once.

Local changes are delivered at once and published to the other processes; theirs arrive through the link. Whatever the
link loses is found missing by its number, or by the comparison of heads, and read from the database.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from chat import limits
from chat.wire import codec, events
from chat.wire.change import Change
from chat.wire.dialects import ChatV1, Dialect
from chat.wire.frame import Frame
from chat.wire.refusals import Refusal

from .feed import Feed

logger = logging.getLogger("chat.hub")

Deliver = Callable[[Frame], bool]


class Source(Protocol):
    """What the hub reads from the database: log.py, handed in."""

    async def heads(self, room_ids: list[int]) -> Sequence[Any]: ...
    async def changes(self, room_id: int, after: int) -> Any: ...
    async def latest(self, room_id: int) -> Any: ...


class Member:
    """One connection in one room of this process. `deliver` is False when its reader is too slow, who is told then."""

    __slots__ = ("deliver", "dialect", "too_slow")

    def __init__(self, dialect: type[Dialect], deliver: Deliver, too_slow: Callable[[], None]):
        self.dialect = dialect
        self.deliver = deliver
        self.too_slow = too_slow


class ActiveRoom:
    """A room with somebody in it here: its feed, its members, and what leaves at the end of this turn."""

    def __init__(self, id: int, slug: str, title: str, epoch: str, floor: int, feed: Feed):
        self.id, self.slug, self.title, self.epoch, self.floor = id, slug, title, epoch, floor
        self.feed = feed
        self.members: set[Member] = set()
        self.arriving = 0
        self.typing: set[str] = set()
        self.outgoing: list[Change] = []
        self.filling: asyncio.Task[None] | None = None

    def tell(self, event: events.Event) -> None:
        """Say something that is not a change to every member whose dialect has a word for it."""
        self._deliver(lambda dialect: [frame] if (frame := dialect.told(event)) else [])

    def tell_typing(self) -> None:
        names, self.typing = sorted(self.typing), set()
        self.tell(events.TypingNames(room=self.slug, names=names))

    def flush(self) -> None:
        """Send what became due in this turn as few frames as the dialects can."""
        changes, self.outgoing = self.outgoing, []
        self._deliver(lambda dialect: dialect.changed(changes))

    def tell_states(self, after: int, states: list[Change], moved: list[Change]) -> None:
        """Say what was read from the database: numbers are skipped, so those who count are told how far it goes.

        `moved`: created up to there, and changed beyond it; the change comes later.
        """
        page = Frame(
            codec.encode(
                events.Joined(
                    room=self.slug,
                    title=self.title,
                    epoch=self.epoch,
                    after=after,
                    head=self.feed.head,
                    messages=[msgspec.Raw(state.body) for state in [*states, *moved]],
                )
            )
        )
        self._deliver(lambda dialect: [page] if dialect is ChatV1 else dialect.changed(states))

    def _deliver(self, frames_of: Callable[[type[Dialect]], list[Frame]]) -> None:
        """The frames are made once for each dialect; nothing is awaited between two members."""
        frames: dict[type[Dialect], list[Frame]] = {}
        for member in list(self.members):
            if (mine := frames.get(member.dialect)) is None:
                mine = frames[member.dialect] = frames_of(member.dialect)
            for frame in mine:
                if not member.deliver(frame):
                    member.too_slow()


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
        self._check: asyncio.Task[None] | None = None
        self._closing: asyncio.Future[None] | None = None

    def start(self) -> None:
        self._check = asyncio.create_task(self._compare_heads())

    async def stop(self) -> None:
        tasks = [room.filling for room in self._rooms.values() if room.filling]
        for task in [*tasks, *([self._check] if self._check else [])]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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

        It is over in the same step in which the room is there: whoever found it over, but the room closed again, would
        ask for ever.
        """
        self._early[room_id] = []
        try:
            await self._subscribe(_group(room_id))
            head, recent = await self._source.latest(room_id)
        except BaseException:
            self._closing = asyncio.ensure_future(self._unsubscribe_unless_open(room_id))
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
        room.members.add(member)
        room.arriving -= 1

    def give_up(self, room: ActiveRoom) -> None:
        """For whoever opened a room and does not join it now."""
        room.arriving -= 1
        self._close_if_empty(room)

    def leave(self, room: ActiveRoom, member: Member) -> None:
        room.members.discard(member)
        self._close_if_empty(room)

    def _close_if_empty(self, room: ActiveRoom) -> None:
        if room.members or room.arriving or self._rooms.pop(room.id, None) is None:
            return
        if room.filling is not None:
            room.filling.cancel()
        self._closing = asyncio.ensure_future(self._unsubscribe_unless_open(room.id))

    async def _unsubscribe_unless_open(self, room_id: int) -> None:
        if room_id not in self._rooms and room_id not in self._opening:
            await self._unsubscribe(_group(room_id))

    def room(self, room_id: int) -> ActiveRoom | None:
        return self._rooms.get(room_id)

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
        if room.feed.has_gap and room.filling is None:
            room.filling = asyncio.create_task(self._fill(room))

    def _send(self, room: ActiveRoom, changes: list[Change]) -> None:
        if not self._unflushed:
            asyncio.get_running_loop().call_soon(self._flush_all)
        room.outgoing.extend(changes)
        self._unflushed.add(room)

    def _flush_all(self) -> None:
        rooms, self._unflushed = self._unflushed, set()
        for room in rooms:
            room.flush()

    def _flush(self, room: ActiveRoom) -> None:
        if room in self._unflushed:
            self._unflushed.discard(room)
            room.flush()

    # Typing: gone when it is gone

    def typed(self, room: ActiveRoom, name: str) -> None:
        """Somebody here is typing."""
        self._publish(_group(room.id), "typing", {"room": room.id, "name": name})
        self.typing(room.id, name)

    def typing(self, room_id: int, name: str) -> None:
        if (room := self._rooms.get(room_id)) is not None:
            if not room.typing:
                asyncio.get_running_loop().call_later(limits.TYPING_COALESCED_S, room.tell_typing)
            room.typing.add(name)

    # What went missing

    async def refresh(self, room: ActiveRoom) -> bool:
        """Deliver a page of what the database has beyond the feed; say whether there was anything."""
        was = room.feed.head
        page = await self._source.changes(room.id, was)
        self._flush(room)
        self._tell_filled(room, page)
        return room.feed.head > was

    async def _fill(self, room: ActiveRoom, expected: int = 0) -> None:
        """Read what is missing, unless it still arrives. `expected`: a head that is known to exist."""
        try:
            await asyncio.sleep(limits.HOLD_S)
            while room.feed.has_gap or room.feed.head < expected:
                if not await self.refresh(room):
                    room.feed.forget_held()  # it is not in the database either
                    break
        except Refusal:
            logger.debug("room %s: the missing changes cannot be read just now", room.slug)
        finally:
            room.filling = None

    def _tell_filled(self, room: ActiveRoom, page: Any) -> None:
        was = room.feed.head
        states = room.feed.fill(page.changes, page.head)
        if room.feed.head > was:
            room.tell_states(was, states, page.moved)
        self._take(room, ())

    async def _compare_heads(self) -> None:
        """What makes Redis optional: once a second one query finds every room that is behind (promise G4)."""
        while True:
            await asyncio.sleep(limits.HEAD_CHECK_S * random.uniform(0.8, 1.2))
            try:
                for room_ids in _portions(list(self._rooms)):
                    self._compare(await self._source.heads(room_ids))
            except Refusal:
                logger.debug("the heads cannot be read just now")
            except Exception:
                logger.exception("the heads could not be compared")

    def _compare(self, heads: Sequence[Any]) -> None:
        for head in heads:
            room = self._rooms.get(head.room_id)
            if room is None:
                continue
            if head.epoch != room.epoch:
                self._start_afresh(room, head)
            elif head.head > room.feed.head and room.filling is None:  # or on its way: most often that is all
                room.filling = asyncio.create_task(self._fill(room, expected=head.head))
            room.floor = head.floor

    def _start_afresh(self, room: ActiveRoom, head: Any) -> None:
        """The database was restored: what was delivered is not what is kept."""
        room.epoch, room.feed = head.epoch, Feed(head.head)
        room.tell(events.Resync(room=room.slug, reason="the room was restored"))


def _feed(head: Any, recent: list[Change]) -> Feed:
    """A feed over the latest states. Fewer than asked for: they are all there are, back to the beginning."""
    is_all = len(recent) < limits.PRELOADED_CHANGES
    reach = head.floor if is_all else recent[0].version - 1
    newest = recent[-1].version if recent else 0
    return Feed(max(head.head, newest), reach, recent)


def _portions(room_ids: list[int]) -> list[list[int]]:
    """So many rooms a query that none holds up the loop."""
    size = limits.HEADS_PER_QUERY
    return [room_ids[start : start + size] for start in range(0, len(room_ids), size)]


def _group(room_id: int) -> str:
    return f"room.{room_id}"
