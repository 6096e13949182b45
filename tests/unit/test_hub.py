"""The hub: rooms that are opened, joined, left and closed while others come."""

import asyncio
from types import SimpleNamespace

import pytest

from chat import limits
from chat.live.hub import Hub
from chat.live.room import Member
from chat.wire import codec
from chat.wire.change import Change, Head, Page
from chat.wire.dialects import ChatV1
from rig.waiting import turns

ROOM = (1, "lobby", "Lobby")


class Shelf:
    """In place of the database: an empty room, shown when the test says so."""

    def __init__(self):
        self.asked = self.read = 0
        self.answer = asyncio.get_running_loop().create_future()

    async def changes(self, room_id, after):
        self.read += 1
        return Page([Change(1, 1, b"{}")], 1, more=False)

    async def latest(self, room_id):
        self.asked += 1
        await asyncio.shield(self.answer)
        return Head(room_id, "abcdefgh", 0, 0), []


@pytest.fixture
async def shelf():
    return Shelf()


@pytest.fixture
async def hub(shelf):
    async def nothing(group):
        return None

    hub = Hub(shelf, publish=lambda group, kind, parcel: None, subscribe=nothing, unsubscribe=nothing)
    yield hub
    await hub.stop()


def step(coroutine):
    """Let it run until it waits, or give what it returned."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        return returned.value
    return None


async def test_many_who_come_at_once_open_a_room_once(hub, shelf):
    coming = [asyncio.create_task(hub.open(*ROOM)) for _ in range(5)]
    await turns()
    shelf.answer.set_result(None)
    rooms = await asyncio.gather(*coming)
    assert len({id(room) for room in rooms}) == 1
    assert (shelf.asked, rooms[0].arriving) == (1, 5)


async def test_who_comes_in_the_moment_in_which_a_room_closes_opens_it_again(hub, shelf, monkeypatch):
    """All within the turn of the loop in which the room was opened: once it made the process stand still for ever."""
    asked = []
    opened = hub._opened

    async def counted(*room):
        asked.append(room)
        assert len(asked) < 10, "it asks for ever"
        return await opened(*room)

    monkeypatch.setattr(hub, "_opened", counted)

    def come_go_and_come_again():
        hub.give_up(step(hub.open(*ROOM)))
        late.append(hub.open(*ROOM))
        step(late[0])

    late = []
    first = asyncio.create_task(hub.open(*ROOM))
    await turns()
    await turns()
    shelf.answer.add_done_callback(lambda _: asyncio.get_running_loop().call_soon(come_go_and_come_again))
    shelf.answer.set_result(None)
    room = await first
    assert late
    assert hub.room(1) is room
    late[0].close()


async def test_what_the_comparison_of_heads_finds_is_not_read_if_it_still_arrives(hub, shelf):
    """The other process has committed it, and its word is on the way: no page is read and told for that."""
    shelf.answer.set_result(None)
    room = await hub.open(*ROOM)
    hub.repair.compare([Head(room.id, room.epoch, 1, 0)])
    for _ in range(5):
        await turns()
    hub.arrived(room.id, [Change(1, 1, b"{}")])
    await room.filling
    assert (room.feed.head, shelf.read) == (1, 0)


async def test_what_the_comparison_of_heads_finds_and_does_not_arrive_is_read(hub, shelf):
    shelf.answer.set_result(None)
    room = await hub.open(*ROOM)
    hub.repair.compare([Head(room.id, room.epoch, 1, 0)])
    await room.filling
    assert (room.feed.head, shelf.read) == (1, 1)


class Reader:
    """A member of a room for whom delivering takes a time of the test's choosing."""

    def __init__(self, hub, room, clock=None, takes_s=0.0):
        self.heard = []
        self._clock, self._takes_s = clock, takes_s
        hub.join(room, Member(ChatV1, self._deliver, too_slow=lambda: None))

    def _deliver(self, frame):
        self.heard.append(frame)
        if self._clock is not None:
            self._clock.now += self._takes_s
        return True


def said(seq):
    return Change(seq, seq, codec.encode({"type": "message", "seq": seq}))


async def test_a_room_whose_delivery_took_long_rests_as_long(hub, shelf):
    shelf.answer.set_result(None)
    room = await hub.open(*ROOM)
    clock = SimpleNamespace(now=100.0)
    Reader(hub, room, clock, takes_s=2 * limits.LONG_DELIVERY_S)
    room.outgoing.append(said(1))
    room.flush(lambda: clock.now)
    assert room.rests_until == pytest.approx(100.0 + 4 * limits.LONG_DELIVERY_S)


async def test_a_room_that_is_told_quickly_does_not_rest(hub, shelf):
    shelf.answer.set_result(None)
    room = await hub.open(*ROOM)
    clock = SimpleNamespace(now=100.0)
    Reader(hub, room, clock, takes_s=limits.LONG_DELIVERY_S / 2)
    room.outgoing.append(said(1))
    room.flush(lambda: clock.now)
    assert room.rests_until < 100.0


async def test_what_is_said_while_a_room_rests_goes_out_together_afterwards(hub, shelf, monkeypatch):
    shelf.answer.set_result(None)
    room = await hub.open(*ROOM)
    reader = Reader(hub, room)
    loop, planned = asyncio.get_running_loop(), []
    monkeypatch.setattr(loop, "call_at", lambda when, call, *given: planned.append((when, call, given)))
    room.rests_until = loop.time() + 60
    hub.arrived(room.id, [said(1)])
    hub.arrived(room.id, [said(2)])
    await turns()
    assert not reader.heard
    ((when, call, given),) = planned
    assert when == room.rests_until
    room.rests_until = 0.0
    call(*given)
    assert len(reader.heard) == 1
    hub.arrived(room.id, [said(3)])
    await turns()
    assert len(reader.heard) == 2
