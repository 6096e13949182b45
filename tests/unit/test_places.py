"""The rooms of one connection: seen, joined, taken away, and what a client has lost without knowing."""

import asyncio

import pytest

from chat import limits
from chat.live import catch_up
from chat.live.room import Member
from chat.sockets import places as places_module
from chat.sockets.places import Places
from chat.wire.dialects import ChatV1
from chat.wire.refusals import Refusal
from chat.wire.verbs import Join
from rig.clock import Clock
from rig.waiting import all_done
from tests.unit.stage import LOBBY

JOIN = Join(room="lobby")


class Visitor:
    """The places of one connection, and what was told of them."""

    def __init__(self, process):
        self.told = []
        self.hub = process.runtime.hub
        self.places = Places(self.hub, 7, self._member, self._entered, self._left)

    def _member(self):
        return Member(ChatV1, lambda frame: True, lambda: None)

    def _entered(self, room):
        self.told.append(("entered", room.slug))

    def _left(self, room, on_purpose):
        self.told.append(("left", room.slug, on_purpose))


@pytest.fixture
async def visitor(process):
    return Visitor(process)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(places_module, "time", clock)
    return clock


async def test_joining_twice_is_one_place(visitor):
    for _ in range(2):
        await visitor.places.join(JOIN)
    assert visitor.told == [("entered", "lobby")]
    visitor.places.leave("lobby", on_purpose=True)
    assert visitor.hub.room(LOBBY) is None, "nobody holds it open"


async def test_a_room_is_seen_by_one_query_until_a_notice_says_to_look_again(visitor, store):
    for _ in range(3):
        await visitor.places.view("lobby")
    assert store.asked == ["room"]
    visitor.places.forget_views()
    await visitor.places.view("lobby")
    assert store.asked == ["room", "room"]


async def test_a_notice_that_comes_while_a_room_is_looked_up_makes_it_be_looked_up_again(visitor, store):
    store.slow_down()
    looking = asyncio.create_task(visitor.places.view("lobby"))
    await all_done()
    store.is_there = False
    visitor.places.doubt_views()
    store.answer()
    with pytest.raises(Refusal):
        await looking


async def test_somebody_who_is_put_out_while_they_join_is_not_in(visitor, store):
    await visitor.places.view("lobby")
    store.slow_down()
    joining = asyncio.create_task(visitor.places.join(JOIN))
    await all_done()
    store.is_there = False
    visitor.places.forget_views()
    store.answer()
    with pytest.raises(Refusal):
        await joining
    assert visitor.told == []
    assert visitor.hub.room(LOBBY) is None, "nobody holds it open"


async def test_a_room_whose_messages_cannot_be_read_is_not_held_open(visitor, monkeypatch):
    async def fail(*_):
        raise Refusal("unavailable", "away")

    monkeypatch.setattr(catch_up, "page", fail)
    with pytest.raises(Refusal):
        await visitor.places.join(JOIN)
    assert visitor.hub.room(LOBBY) is None


async def test_a_change_of_access_concerns_those_who_are_in_the_room_or_have_seen_it(visitor):
    assert not visitor.places.holds(LOBBY)
    await visitor.places.view("lobby")
    assert visitor.places.holds(LOBBY)
    visitor.places.forget_views()
    assert not visitor.places.holds(LOBBY)
    await visitor.places.join(JOIN)
    visitor.places.forget_views()
    assert visitor.places.holds(LOBBY)


async def test_a_room_that_is_taken_away_is_left_and_said_which(visitor):
    await visitor.places.join(JOIN)
    assert visitor.places.removed_from(LOBBY + 1) == []
    assert visitor.places.removed_from(LOBBY) == ["lobby"]
    assert visitor.told[-1] == ("left", "lobby", True)
    assert visitor.places.room("lobby") is None


async def test_whoever_looks_elsewhere_is_no_longer_told_who_is_here(visitor):
    await visitor.places.join(JOIN)
    assert visitor.hub.is_looked_at(LOBBY)
    assert visitor.places.look([]) == []
    assert not visitor.hub.is_looked_at(LOBBY)
    assert [room.slug for room in visitor.places.look(["lobby", "garden"])] == ["lobby"]
    assert visitor.hub.is_looked_at(LOBBY)


async def test_where_one_looks_is_remembered_for_rooms_that_are_joined_later(visitor):
    visitor.places.look(["garden"])
    await visitor.places.join(JOIN)
    assert not visitor.hub.is_looked_at(LOBBY)


# Clients that have lost something without knowing


def later(clock):
    clock.advance(limits.OUT_OF_STEP_S)


async def test_a_client_that_stays_behind_is_sent_what_it_lacks(visitor, store, clock):
    store.add("one")
    await visitor.places.join(JOIN)
    assert visitor.places.joins_wanting({"lobby": 0}) == []
    later(clock)
    assert visitor.places.joins_wanting({"lobby": 0}) == [Join(room="lobby", after=0)]


async def test_a_client_to_which_something_is_on_its_way_is_left_alone(visitor, store, clock):
    await visitor.places.join(JOIN)
    for number in range(3):
        visitor.hub.arrived(LOBBY, [store.add(str(number))])
        assert visitor.places.joins_wanting({"lobby": number}) == []
        later(clock)
    assert visitor.places.joins_wanting({"lobby": 3}) == []


async def test_a_client_that_believes_to_be_in_a_room_is_let_in_where_it_stands(visitor, clock):
    visitor.places.joins_wanting({"garden": 4})
    later(clock)
    assert visitor.places.joins_wanting({"garden": 4}) == [Join(room="garden", after=4)]


async def test_a_client_that_claims_a_thousand_rooms_has_a_few_looked_up_at_a_time(visitor, clock):
    claimed = {f"room-{number}": 1 for number in range(1_000)}
    visitor.places.joins_wanting(claimed)
    later(clock)
    assert len(visitor.places.joins_wanting(claimed)) == limits.REQUESTS_IN_FLIGHT
