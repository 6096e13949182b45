"""What a client that joins a room lacks: from memory where it reaches back so far, from the database where it does not.

Subscribed first, read second, merged by number: the room is open in the hub before anything is read, and the last step
is from memory. A client that is told `joined` without `more` listens from its `head` on, if nothing is awaited between.
"""

from __future__ import annotations

import msgspec

from chat import limits
from chat.messages import pages
from chat.wire.change import Change, fitting
from chat.wire.events import Joined, Resync
from chat.wire.verbs import Join

from .hub import ActiveRoom, Hub


async def page(hub: Hub, room: ActiveRoom, verb: Join) -> Joined | Resync:
    """The answer to a `join`."""
    if verb.after is None:
        return await _latest(room, verb)
    while verb.after > room.feed.head and await hub.repair.refresh(room):
        pass
    if reason := _cannot_resume(room, verb.after, verb.epoch):
        return Resync(id=verb.id, room=verb.room, reason=reason)
    return await _since(room, verb, verb.after)


def raw(changes: list[Change]) -> list[msgspec.Raw]:
    """Changes as they stand in a page: bytes that were encoded before."""
    return [msgspec.Raw(change.body) for change in changes]


def _cannot_resume(room: ActiveRoom, after: int, epoch: str | None) -> str | None:
    """Why a client with that position has to load afresh, or None."""
    if epoch is not None and epoch != room.epoch:
        return "the room was restored"
    if after > room.feed.head:
        return "your position is ahead of the room"
    if after < room.floor:
        return "messages from then are no longer kept"
    return None


async def _since(room: ActiveRoom, verb: Join, after: int) -> Joined:
    if (recent := room.feed.since(after)) is not None:
        return _whole_or_part(room, verb, recent)
    found = await pages.changes(room.id, after)
    if found.more or (recent := room.feed.since(min(found.head, room.feed.head))) is None:
        return _joined(room, verb, found.changes + found.moved, found.head, more=True)
    return _whole_or_part(room, verb, found.changes + recent)


async def _latest(room: ActiveRoom, verb: Join) -> Joined:
    if (messages := room.feed.latest(limits.LATEST_PAGE)) is not None:
        has_earlier = bool(messages) and messages[0].seq > 1
        return _joined(room, verb, messages, room.feed.head, earlier=has_earlier)
    while True:
        head = room.feed.head
        found = await pages.before(room.id, head + 1, limits.LATEST_PAGE)
        if (recent := room.feed.since(head)) is not None:
            return _joined(room, verb, found.changes + recent, room.feed.head, earlier=found.more)


def _whole_or_part(room: ActiveRoom, verb: Join, changes: list[Change]) -> Joined:
    """All of it when it fits into a page, otherwise the first part of it."""
    part, is_part = fitting(changes)
    if is_part:
        return _joined(room, verb, part, part[-1].version, more=True)
    return _joined(room, verb, changes, room.feed.head)


def _joined(
    room: ActiveRoom, verb: Join, changes: list[Change], head: int, more: bool = False, earlier: bool = False
) -> Joined:
    return Joined(
        id=verb.id,
        room=room.slug,
        title=room.title,
        epoch=room.epoch,
        head=head,
        after=verb.after,
        messages=raw(changes),
        more=more,
        earlier=earlier,
    )
