"""What is read of rooms: where their number lines stand, and pages of their messages."""

from __future__ import annotations

from django.db import connection

from chat import database, limits
from chat.models import Message, Room
from chat.wire.change import Around, Change, Head, Page, fitting

from .rows import states


async def heads(room_ids: list[int]) -> list[Head]:
    """Where these rooms stand; rooms that are gone are missing."""
    return await database.readers.run(_heads, room_ids)


async def changes(room_id: int, after: int, limit: int = limits.CATCH_UP_PAGE) -> Page:
    """Every message that changed after that number, by number."""
    return await database.readers.run(_changes, room_id, after, limit)


async def latest(room_id: int, limit: int = limits.PRELOADED_CHANGES) -> tuple[Head, list[Change]]:
    """Where the room stood, and then its latest changes: all above the first one's number are there."""
    return await database.readers.run(_latest, room_id, limit)


async def before(room_id: int, seq: int, limit: int) -> Page:
    """The messages before that place, the nearest ones, in order of place."""
    return await database.readers.run(_before, room_id, seq, limit)


async def after(room_id: int, seq: int, limit: int) -> Page:
    """The messages after that place, the nearest ones, in order of place."""
    return await database.readers.run(_after, room_id, seq, limit)


async def around(room_id: int, seq: int, limit: int) -> Around | None:
    """The message at that place in the middle of a page; None where there is none."""
    return await database.readers.run(_around, room_id, seq, limit)


def _heads(room_ids: list[int]) -> list[Head]:
    """Asked every second for every active room: Django's way of passing many numbers costs more than the query."""
    ids = ", ".join(map(str, map(int, room_ids))) or "NULL"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, epoch, head, floor, title FROM chat_room WHERE id IN ({ids})")
        return [Head(*row) for row in cursor.fetchall()]


def _changes(room_id: int, after: int, limit: int) -> Page:
    # The head is read first: the rows are then at least as new, so they are complete up to it.
    head = Room.objects.values_list("head", flat=True).get(id=room_id)
    found = states(Message.objects.filter(room=room_id, version__gt=after).order_by("version")[: limit + 1])
    page, more = fitting(found, limit)
    if more:
        return _with_moved(room_id, after, limit, page)
    return Page(page, max([head, *(change.version for change in page)]), more=False)


def _with_moved(room_id: int, after: int, limit: int, page: list[Change]) -> Page:
    """A part of what changed, with every message that was new in it, and no longer than a page may be."""
    head = page[-1].version
    moved = Message.objects.filter(room=room_id, seq__gt=after, seq__lte=head, version__gt=head).order_by("seq")

    def number(change: Change) -> int:
        return change.seq if change.seq > after else change.version

    page, is_part = fitting(sorted([*page, *states(moved[:limit])], key=number), limit)
    if is_part:
        head = number(page[-1])
    up_to_head = [change for change in page if change.version <= head]
    beyond = [change for change in page if change.version > head]
    return Page(sorted(up_to_head), head, more=True, moved=beyond)


def _latest(room_id: int, limit: int) -> tuple[Head, list[Change]]:
    (head,) = _heads([room_id])
    found = list(states(Message.objects.filter(room=room_id).order_by("-version")[:limit]))
    return head, found[::-1]


def _before(room_id: int, seq: int, limit: int) -> Page:
    found = states(Message.objects.filter(room=room_id, seq__lt=seq).order_by("-seq")[: limit + 1])
    page, more = fitting(found, limit)
    return Page(page[::-1], seq, more=more)


def _after(room_id: int, seq: int, limit: int) -> Page:
    found = states(Message.objects.filter(room=room_id, seq__gt=seq).order_by("seq")[: limit + 1])
    page, more = fitting(found, limit)
    return Page(page, seq, more=more)


def _around(room_id: int, seq: int, limit: int) -> Around | None:
    """Half of the page ends before the message and half begins with it."""
    count = limit // 2
    messages = Message.objects.filter(room=room_id)
    found = states(messages.filter(seq__gte=seq).order_by("seq")[: limit - count + 1])
    following, has_later = fitting(found, limit - count, share=2)
    if not following or following[0].seq != seq:
        return None
    preceding, has_earlier = fitting(states(messages.filter(seq__lt=seq).order_by("-seq")[: count + 1]), count, share=2)
    return Around(preceding[::-1] + following, has_earlier, has_later)
