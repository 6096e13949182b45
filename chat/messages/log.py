"""The log of every room: writes go together in batches, reads come in pages.

Natural batching, without a timer: what arrives while a transaction is running waits for the next one.
One message at a time costs one commit; a thousand at once cost a few.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from django.db import connection

from chat import limits, database
from chat.live.feed import Change, fitting
from chat.models import Message, Room
from chat.wire.protocol import Refusal

from . import ledger
from .ledger import Entry, Receipt, RoomChanges
from .rows import states

logger = logging.getLogger("chat.log")


class Head(NamedTuple):
    """Where a room's number line stands."""

    room_id: int
    epoch: str
    head: int
    floor: int


class Page(NamedTuple):
    """States of messages in the order asked for. Catching up: complete up to `head`, `more` beyond it.

    `moved`: messages that were created up to there too, and changed beyond it; without them a page would have holes.
    """

    changes: list[Change]
    head: int
    more: bool
    moved: list[Change] = []


class Log:
    """Takes entries one by one and commits them together; tells `committed` what changed, in commit order."""

    def __init__(self, committed: Callable[[list[RoomChanges]], None]):
        self._committed = committed
        self._waiting: list[tuple[Entry, asyncio.Future[Receipt]]] = []
        self._task: asyncio.Task[None] | None = None

    def write(self, entry: Entry) -> asyncio.Future[Receipt]:
        """Return a future of the receipt, done after the commit; or of a Refusal. Entries keep their order."""
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        if len(self._waiting) >= limits.DATABASE_QUEUE_LIMIT:
            future.set_exception(database.Unavailable())
            return future
        self._waiting.append((entry, future))
        if self._task is None:
            self._task = asyncio.create_task(self._write_batches())
        return future

    async def drained(self) -> None:
        """Wait until nothing waits to be written."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _write_batches(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: limits.BATCH_LIMIT], self._waiting[limits.BATCH_LIMIT :]
                await self._write_batch(batch)
        finally:
            self._task = None

    async def _write_batch(self, batch: list[tuple[Entry, asyncio.Future[Receipt]]]) -> None:
        try:
            outcomes, changed = await database.writer.run(ledger.write, [entry for entry, _ in batch])
        except Exception as problem:
            self._fail(batch, problem)
            return
        # Delivered before it is acknowledged: whoever hears the ack can trust that the others hear the message.
        self._announce(changed)
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.cancelled():
                _settle(future, outcome)

    def _announce(self, changed: list[RoomChanges]) -> None:
        try:
            self._committed(changed)
        except Exception:
            logger.exception("what was committed could not be delivered; the comparison of heads will find it")

    def _fail(self, batch: list[tuple[Entry, asyncio.Future[Receipt]]], problem: Exception) -> None:
        for _, future in batch:
            if not future.cancelled():
                future.set_exception(problem)


def _settle(future: asyncio.Future[Receipt], outcome: Receipt | Refusal) -> None:
    if isinstance(outcome, Refusal):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


# Reads -----------------------------------------------------------------------------------------------------


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


def _heads(room_ids: list[int]) -> list[Head]:
    """Asked every second for every active room: Django's way of passing many numbers costs more than the query."""
    ids = ", ".join(map(str, map(int, room_ids))) or "NULL"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, epoch, head, floor FROM chat_room WHERE id IN ({ids})")  # noqa: S608 (numbers)
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
