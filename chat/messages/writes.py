"""What is to be written, together: what arrives while a transaction is running waits for the next one.

Natural batching, without a timer: one message at a time costs one commit; a thousand at once cost a few.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from chat import database, limits
from chat.wire.refusals import Refusal

from . import ledger
from .ledger import Entry, Receipt, RoomChanges

logger = logging.getLogger("chat.writes")


class Writes:
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
