"""The hub: rooms that are opened, joined, left and closed while others come."""

import asyncio

import pytest

from chat.live.hub import Hub
from chat.wire.change import Change, Head, Page
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
