"""Takes back what was given: logout, password, account, ban, room (promise G7).

Every process reads the notices twice a second and looks again at whom they name; and once in a while at everybody, so
that a change made behind our back (SQL, an expired session) holds too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from accounts import access
from accounts.access import Person, Standing
from chat import database, limits
from chat.messages import ledger
from chat.models import Notice
from chat.wire.closes import Close
from chat.wire.refusals import Refusal

from .connections import Connected

logger = logging.getLogger("chat.revocation")

# A transaction may commit after one with a higher id: look back this far, and remember what was seen.
LOOK_BACK_S = 30
COME_BACK_S = 0.1


class Revocation:
    """Watches the standing of everybody connected here."""

    def __init__(self, everybody: Iterable[Connected]):
        self._everybody = everybody
        self._seen: dict[int, Notice] = {}
        self._unproved: set[Connected] = set()
        self._read_at = timezone.now()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def admitted(self, connected: Connected) -> None:
        """Somebody is in: what came with a ticket, or was noticed while they were at the door, is looked at again."""
        person = connected.person
        if not person.is_proved or any(_concerns(notice, person) for notice in self._seen.values()):
            self._unproved.add(connected)

    async def _watch(self) -> None:
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(limits.NOTICE_INTERVAL_S)
            try:
                await self._read_notices()
                if time.monotonic() - looked_at > limits.STANDING_INTERVAL_S:
                    looked_at = time.monotonic()
                    self._unproved.update(self._everybody)
                    await self._look_at_the_unproved()
                    await database.readers.run(_forget_what_is_old)
            except Refusal:
                logger.debug("the notices cannot be read just now")
            except Exception:
                logger.exception("the notices could not be followed")

    async def _read_notices(self) -> None:
        now = timezone.now()
        notices = await database.readers.run(_notices_since, self._read_at - timedelta(seconds=LOOK_BACK_S))
        self._read_at = now
        new = [notice for notice in notices if notice.pk not in self._seen]
        self._seen = {notice.pk: notice for notice in notices}
        if not new and not self._unproved:
            return
        concerned = [one for one in self._everybody if any(_concerns(notice, one.person) for notice in new)]
        self._unproved.update(concerned)
        ended = {notice.session for notice in new if notice.session}
        for connected in concerned:
            if connected.person.session in ended:
                connected.bye(Close.NOT_SIGNED_IN)
        await self._look_at_the_unproved()

    async def _look_at_the_unproved(self) -> None:
        """Who could not be looked at, because the database went away, is still to be looked at the next time."""
        unproved, self._unproved = self._unproved, set()
        try:
            await self._look_again(list(unproved))
        except Exception:
            self._unproved |= unproved.intersection(self._everybody)
            raise

    async def _look_again(self, connections: list[Connected]) -> None:
        if not connections:
            return
        places = {(one.person.user_id, room_id) for one in connections for room_id in [*one.room_ids(), 0]}
        keys = {one.person.session_key for one in connections if one.person.session_key}
        fingerprints = {one.person.session for one in connections}
        for connected in connections:
            connected.forget_views()  # before the await: who is coming into a room asks again
        standing = await database.readers.run(access.standing, places, keys, fingerprints)
        lost = places - standing.places  # a room that was joined meanwhile was not looked at
        for connected in connections:
            _judge(connected, standing, lost)


def _notices_since(since: datetime) -> list[Notice]:
    return list(Notice.objects.filter(created_at__gt=since).order_by("pk"))


def _forget_what_is_old() -> None:
    """Notices; and the nonces of changes, because this is the clock that comes round."""
    ledger.forget_old_nonces()
    since = timezone.now() - timedelta(seconds=limits.NOTICES_KEPT_S)
    Notice.objects.filter(created_at__lt=since).delete()


def _concerns(notice: Notice, person: Person) -> bool:
    """A room concerns everybody: who is not in it may have seen it, and may come in."""
    if notice.session:
        return notice.session == person.session
    return notice.room_id is not None or notice.user_id == person.user_id


def _judge(connected: Connected, standing: Standing, lost: set[tuple[int, int]]) -> None:
    person = connected.person
    if person.user_id in standing.disabled:
        connected.bye(Close.ACCOUNT_DISABLED)
    elif person.user_id not in standing.stamps:
        connected.bye(Close.NOT_SIGNED_IN)
    elif standing.stamps[person.user_id] != person.stamp:
        # Whoever changed the password has a new session and is let in again; the others are not.
        connected.bye(Close.AUTHENTICATE_AGAIN, COME_BACK_S)
    elif person.session in standing.ended or (person.session_key and person.session_key not in standing.sessions):
        connected.bye(Close.NOT_SIGNED_IN)
    elif person.expires_at is not None and person.expires_at < time.time():
        connected.bye(Close.AUTHENTICATE_AGAIN, COME_BACK_S)
    else:
        for room_id in connected.room_ids():
            if (person.user_id, room_id) in lost:
                connected.removed_from(room_id)
