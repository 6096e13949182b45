"""What is kept for a while only is taken away again, a little at a time, by every process."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

from accounts import sessions
from chat import database, limits
from chat.messages import ledger
from chat.models import AccessNotice
from chat.rooms import restored
from chat.rooms.unused_guests import forget_unused_guests
from chat.wire.refusals import Refusal

from .connections import Connected

logger = logging.getLogger("chat.housekeeping")


class Housekeeping:
    """Notices, nonces of changes, expired sessions, unused guests; the sessions of people who are here; the mark."""

    def __init__(self, everybody: Iterable[Connected]):
        self._everybody = everybody
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(limits.HOUSEKEEPING_INTERVAL_S * random.uniform(0.8, 1.2))
            try:
                await self.tidy()
            except Refusal:
                logger.debug("the database does not answer just now")
            except Exception:
                logger.exception("what is old could not be taken away")

    async def tidy(self) -> None:
        for work in (_forget_notices, ledger.forget_old_nonces, sessions.forget_expired, forget_unused_guests):
            await database.readers.run(work)
        await self.renew_mark()
        people = [one.person for one in self._everybody]
        await database.readers.run(sessions.move_on, {person.session_key for person in people if person.session_key})

    async def renew_mark(self) -> None:
        """What was copied before is known as a copy."""
        with suppress(Refusal):
            await database.readers.run(restored.renew_mark)


def _forget_notices() -> None:
    since = timezone.now() - timedelta(seconds=limits.NOTICES_KEPT_S)
    AccessNotice.objects.filter(created_at__lt=since).delete()
