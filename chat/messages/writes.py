"""What is to be written, together: what arrives while a transaction is running waits for the next one.

Natural batching, without a timer: one message at a time costs one commit; a thousand at once cost a few.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from chat import database, limits
from chat.wire.refusals import Refusal

from . import ledger
from .entries import Entry, Outcome, Receipt, RoomChanges

logger = logging.getLogger("chat.writes")


class Asked(NamedTuple):
    """An entry, who waits for its receipt, and until when."""

    entry: Entry
    future: asyncio.Future[Receipt]
    deadline: float


class Writes:
    """Takes entries one by one and commits them together; tells `committed` what changed, in commit order.

    One that has waited for DATABASE_PATIENCE_S is given up, wherever it is: it is not written any more, unless it is
    being written just now.
    """

    def __init__(self, committed: Callable[[list[RoomChanges]], None]):
        self._committed = committed
        self._waiting: list[Asked] = []
        self._running: list[Asked] = []
        self._task: asyncio.Task[None] | None = None
        self._giving_up: asyncio.TimerHandle | None = None

    def write(self, entry: Entry) -> asyncio.Future[Receipt]:
        """Return a future of the receipt, done after the commit; or of a Refusal. Entries keep their order."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        if len(self._waiting) >= limits.DATABASE_QUEUE_LIMIT:
            future.set_exception(database.Unavailable())
            return future
        asked = Asked(entry, future, loop.time() + limits.DATABASE_PATIENCE_S)
        self._waiting.append(asked)
        if self._giving_up is None:
            self._giving_up = loop.call_at(asked.deadline, self._give_up)
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
                self._running, self._waiting = self._waiting[: limits.BATCH_LIMIT], self._waiting[limits.BATCH_LIMIT :]
                await self._write_batch(self._running)
        finally:
            self._running, self._task = [], None

    async def _write_batch(self, batch: list[Asked]) -> None:
        try:
            written, outcomes, changed = await database.writer.run(_write, batch)
        except Exception as problem:
            _fail(batch, problem)
            return
        # Delivered before it is acknowledged: whoever hears the ack can trust that the others hear the message.
        self._announce(changed)
        for asked, outcome in zip(written, outcomes, strict=True):
            _settle(asked.future, outcome)

    def _announce(self, changed: list[RoomChanges]) -> None:
        try:
            self._committed(changed)
        except Exception:
            logger.exception("what was committed could not be delivered; the comparison of heads will find it")

    def _give_up(self) -> None:
        """One timer for all: the oldest comes first, in the batch that runs and in what waits behind it."""
        loop = asyncio.get_running_loop()
        now, asked = loop.time(), [*self._running, *self._waiting]
        _fail([one for one in asked if one.deadline <= now], database.Unavailable())
        self._waiting = [one for one in self._waiting if not one.future.done()]
        left = [one.deadline for one in asked if not one.future.done()]
        self._giving_up = loop.call_at(left[0], self._give_up) if left else None


def _write(batch: list[Asked]) -> tuple[list[Asked], list[Outcome], list[RoomChanges]]:
    """In the writing thread, which may have been busy: who was told meanwhile to come back does so, with the nonce."""
    wanted = [asked for asked in batch if not asked.future.done()]
    if not wanted:
        return [], [], []
    outcomes, changed = ledger.write([asked.entry for asked in wanted])
    return wanted, outcomes, changed


def _fail(batch: list[Asked], problem: Exception) -> None:
    for asked in batch:
        if not asked.future.done():
            asked.future.set_exception(problem)


def _settle(future: asyncio.Future[Receipt], outcome: Outcome) -> None:
    if future.done():
        return
    if isinstance(outcome, Refusal):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
