"""Takes back what was given: logout, password, account, ban, room (promise G7).

Every process reads the notices twice a second and looks again at whom they name; and once in a while at everybody, so
that a change made behind our back (SQL, an expired session) holds too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from accounts import sessions
from accounts.sessions import Standing as PeopleStanding
from chat import database, limits
from chat.models import AccessNotice
from chat.rooms import visible
from chat.wire.closes import Close
from chat.wire.refusals import Refusal

from .connections import Connected

logger = logging.getLogger("chat.revocation")

# A transaction may commit after one with a higher id: look back this far, and remember what was seen.
LOOK_BACK_S = 30
COME_BACK_S = 0.1
# Thousands are connected, and their messages do not wait until the last of them was looked at.
LOOKED_AT_IN_A_TURN = 100


class Revocation:
    """Watches the standing of everybody connected here."""

    def __init__(self, everybody: Iterable[Connected]):
        self._everybody = everybody
        self._seen: dict[int, AccessNotice] = {}
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
        if not connected.person.is_proved or _Concerned.by(self._seen.values()).include(connected):
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
        if any(notice.room_id is not None for notice in new):
            for connected in self._everybody:
                connected.doubt_views()
        concerned = await self._concerned(new)
        self._unproved.update(concerned)
        ended = {notice.session for notice in new if notice.session and notice.user_id is None}
        for connected in concerned:
            if connected.person.session in ended:
                connected.bye(Close.NOT_SIGNED_IN)
        await self._look_at_the_unproved()

    async def _concerned(self, new: list[AccessNotice]) -> list[Connected]:
        """Those whom `new` concerns.

        Who comes meanwhile has been admitted by what is true now, or finds the notice among the seen.
        """
        concerned, here, whom = [], list(self._everybody), _Concerned.by(new)
        for begin in range(0, len(here), LOOKED_AT_IN_A_TURN):
            concerned += [one for one in here[begin : begin + LOOKED_AT_IN_A_TURN] if whom.include(one)]
            await asyncio.sleep(0)
        return concerned

    async def _look_at_the_unproved(self) -> None:
        """Some at a time, and those whose check failed, because the database went away, again the next time."""
        while self._unproved:
            some = [self._unproved.pop() for _ in range(min(len(self._unproved), LOOKED_AT_IN_A_TURN))]
            try:
                await self._look_again(some)
            except Exception:
                self._unproved.update(set(some).intersection(self._everybody))
                raise

    async def _look_again(self, connections: list[Connected]) -> None:
        asked = _Asked.about(connections)
        for connected in connections:
            connected.forget_views()  # before the await: a connection that is coming into a room asks again
        standing = await database.readers.run(_standing, asked)
        lost = asked.places - standing.places  # a room that was joined meanwhile was not checked
        for connected in connections:
            _judge(connected, standing, lost)


class _Concerned(NamedTuple):
    """Whom notices are about. A room concerns those who are in it, or have asked for it."""

    sessions: set[str]
    room_ids: set[int]
    user_ids: set[int]

    @classmethod
    def by(cls, notices: Collection[AccessNotice]) -> _Concerned:
        others = [notice for notice in notices if not notice.session]
        return cls(
            {notice.session for notice in notices if notice.session},
            {notice.room_id for notice in others if notice.room_id is not None},
            {notice.user_id for notice in others if notice.room_id is None and notice.user_id is not None},
        )

    def include(self, connected: Connected) -> bool:
        person = connected.person
        if person.user_id in self.user_ids or person.session in self.sessions:
            return True
        return any(map(connected.holds, self.room_ids))


class _Asked(NamedTuple):
    """What is to be checked: people, places (user, room), session cookies, and fingerprints of sessions."""

    user_ids: set[int]
    places: set[tuple[int, int]]
    session_keys: set[str]
    fingerprints: set[str]

    @classmethod
    def about(cls, connections: list[Connected]) -> _Asked:
        people = [one.person for one in connections]
        return cls(
            {person.user_id for person in people},
            {(one.person.user_id, room_id) for one in connections for room_id in one.room_ids()},
            {person.session_key for person in people if person.session_key},
            {person.session for person in people if person.session},
        )


class Standing(NamedTuple):
    """What is true now. `ended`: fingerprints of sessions that were signed out, all that is known of a ticket's."""

    people: PeopleStanding
    places: set[tuple[int, int]]
    ended: set[str]


def _standing(asked: _Asked) -> Standing:
    ended = AccessNotice.objects.filter(session__in=asked.fingerprints).values_list("session", flat=True)
    people = sessions.standing(asked.user_ids, asked.session_keys)
    return Standing(people, visible.still_visible(asked.places), set(ended))


def _notices_since(since: datetime) -> list[AccessNotice]:
    return list(AccessNotice.objects.filter(created_at__gt=since).order_by("pk"))


def _judge(connected: Connected, standing: Standing, lost: set[tuple[int, int]]) -> None:
    person = connected.person
    if person.user_id in standing.people.disabled:
        connected.bye(Close.ACCOUNT_DISABLED)
    elif person.user_id not in standing.people.stamps:
        connected.bye(Close.NOT_SIGNED_IN)
    elif standing.people.stamps[person.user_id] != person.stamp:
        # The browser that changed the password has a new session and is let in again; the others are not.
        connected.bye(Close.AUTHENTICATE_AGAIN, COME_BACK_S)
    elif person.session in standing.ended or (
        person.session_key and person.session_key not in standing.people.sessions
    ):
        connected.bye(Close.NOT_SIGNED_IN)
    elif not person.session_key and person.expires_at is not None and person.expires_at < time.time():
        connected.bye(Close.AUTHENTICATE_AGAIN, COME_BACK_S)
    else:
        for room_id in connected.room_ids():
            if (person.user_id, room_id) in lost:
                connected.removed_from(room_id)
