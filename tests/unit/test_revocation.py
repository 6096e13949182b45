import asyncio
from datetime import timedelta
from unittest.mock import AsyncMock

import pytest

from accounts import sessions
from accounts.identity import Person
from chat import database
from chat.live import revocation
from chat.live.revocation import Revocation, Standing
from chat.models import AccessNotice
from chat.wire.closes import Close
from rig.clock import Clock
from rig.waiting import turns

LOBBY, GARDEN = 1, 2


class Connected:
    """A connection that remembers what became of it."""

    def __init__(self, user_id=7, rooms=(LOBBY,), **fields):
        self.person = Person(user_id, "alice", **{"stamp": "good", **fields})
        self.rooms = list(rooms)
        self.said = []

    def room_ids(self):
        return self.rooms

    def bye(self, code, retry_after_s=None):
        self.said.append(code)

    def holds(self, room_id):
        return room_id in self.rooms

    def doubt_views(self):
        pass

    def forget_views(self):
        pass

    def removed_from(self, room_id):
        self.rooms.remove(room_id)


@pytest.fixture
def standing(monkeypatch):
    """What the database says; `meanwhile` happens while it is asked."""
    people = sessions.Standing(stamps={7: "good"}, disabled=set(), sessions={"open-session"})
    standing = Standing(people, places={(7, LOBBY)}, ended=set())
    said = {"standing": standing, "meanwhile": lambda: None}

    async def run(work, asked):
        said["meanwhile"]()
        return said["standing"]

    monkeypatch.setattr(database.readers, "run", run)
    monkeypatch.setattr(revocation, "time", Clock(now=1000))
    return said


def changed(standing, ended=frozenset(), **people):
    return standing._replace(people=standing.people._replace(**people), ended=ended)


async def look_again(*connections):
    await Revocation(connections)._look_again(list(connections))


async def test_who_may_stay_stays(standing):
    alice = Connected(session_key="open-session", expires_at=1001)
    await look_again(alice)
    assert (alice.said, alice.rooms) == ([], [LOBBY])


@pytest.mark.parametrize(
    ("change", "fields", "code"),
    [
        ({"disabled": {7}, "stamps": {}}, {}, Close.ACCOUNT_DISABLED),
        ({"stamps": {}}, {}, Close.NOT_SIGNED_IN),
        ({"stamps": {7: "another password"}}, {}, Close.AUTHENTICATE_AGAIN),
        ({}, {"session_key": "closed-session"}, Close.NOT_SIGNED_IN),
        ({"ended": {"a-fingerprint"}}, {"session": "a-fingerprint"}, Close.NOT_SIGNED_IN),
        ({}, {"expires_at": 999}, Close.AUTHENTICATE_AGAIN),
    ],
    ids=["disabled", "gone", "password", "signed out", "signed out with a ticket", "expired"],
)
async def test_who_may_not_stay_is_closed_with_the_reason(standing, change, fields, code):
    standing["standing"] = changed(standing["standing"], **change)
    alice = Connected(**fields)
    await look_again(alice)
    assert alice.said == [code]


async def test_a_room_that_was_taken_away_is_left(standing):
    alice = Connected(rooms=[LOBBY, GARDEN])
    await look_again(alice)
    assert (alice.said, alice.rooms) == ([], [LOBBY])


async def test_a_room_that_was_joined_while_the_database_was_asked_stays(standing):
    alice = Connected(rooms=[LOBBY])
    standing["meanwhile"] = lambda: alice.rooms.append(GARDEN)
    await look_again(alice)
    assert alice.rooms == [LOBBY, GARDEN]


async def test_who_could_not_be_looked_at_is_looked_at_the_next_time(standing, monkeypatch):
    """The notice has been read; then the database goes away."""
    alice, notices = Connected(), [AccessNotice(pk=1, user_id=7)]
    look, read = database.readers.run, AsyncMock(return_value=notices)
    watch = Revocation([alice])
    standing["standing"] = changed(standing["standing"], stamps={})

    async def run(work, *asked):
        return await (read(*asked) if work is revocation._notices_since else look(work, *asked))

    def go_away():
        raise database.Unavailable

    monkeypatch.setattr(database.readers, "run", run)
    standing["meanwhile"] = go_away
    with pytest.raises(database.Unavailable):
        await watch._read_notices()
    assert alice.said == []

    standing["meanwhile"] = lambda: None
    await watch._read_notices()
    assert alice.said == [Close.NOT_SIGNED_IN]
    await watch._read_notices()
    assert alice.said == [Close.NOT_SIGNED_IN]


async def test_thousands_are_looked_through_some_at_a_time():
    """Who writes meanwhile does not wait for the last of them."""
    here = [Connected(rooms=[LOBBY]) for _ in range(3 * revocation.LOOKED_AT_IN_A_TURN)]
    looking = asyncio.create_task(Revocation(here)._concerned([AccessNotice(pk=1, room_id=LOBBY)]))
    await turns(2)
    assert not looking.done()
    assert await looking == here


async def test_the_standing_of_thousands_is_asked_some_at_a_time(standing):
    """Each minute, and when a notice concerns a room that they are all in."""
    here = [Connected(rooms=[LOBBY]) for _ in range(2 * revocation.LOOKED_AT_IN_A_TURN + 1)]
    standing["standing"] = changed(standing["standing"], disabled={7})
    asked = []
    standing["meanwhile"] = lambda: asked.append(sum(bool(one.said) for one in here))
    watch = Revocation(here)
    watch._unproved.update(here)
    await watch._look_at_the_unproved()
    assert asked == [0, revocation.LOOKED_AT_IN_A_TURN, 2 * revocation.LOOKED_AT_IN_A_TURN]
    assert all(one.said == [Close.ACCOUNT_DISABLED] for one in here)


async def test_notices_are_read_from_where_they_were_read_last(standing, monkeypatch):
    """However long the database was away."""
    read = AsyncMock(side_effect=[[], database.Unavailable, []])
    monkeypatch.setattr(database.readers, "run", read)
    watch = Revocation([])
    await watch._read_notices()
    read_at = watch._read_at
    with pytest.raises(database.Unavailable):
        await watch._read_notices()
    await watch._read_notices()
    assert read.await_args.args == (revocation._notices_since, read_at - timedelta(seconds=revocation.LOOK_BACK_S))
