"""What a client that joins a room lacks: all of it, once, in order, whatever happens while it is read."""

import asyncio

import pytest

from chat import limits
from chat.live import catch_up
from chat.wire import codec
from chat.wire.change import Change
from chat.wire.events import Joined, Resync
from chat.wire.verbs import Join
from rig.waiting import all_done
from tests.unit.stage import EPOCH, LOBBY


@pytest.fixture
async def open_room(process, store):
    """open_room() gives the room as it stands in the database now."""

    async def open_room():
        room = await process.runtime.hub.open(LOBBY, "lobby", "Lobby")
        store.asked.clear()
        return room

    return open_room


@pytest.fixture
def short_memory(monkeypatch):
    """How many changes a room has in memory when it is opened: fewer than a page."""
    monkeypatch.setattr(limits, "PRELOADED_CHANGES", 10)
    return 10


@pytest.fixture
def page(process):
    def page(room, **fields):
        return catch_up.page(process.runtime.hub, room, Join(id=1, room="lobby", **fields))

    return page


def versions(answer):
    return [codec.decode_message(bytes(message)).version for message in answer.messages]


def arrive(process, store, text):
    """Another process writes, and its word comes."""
    change = store.add(text)
    process.runtime.hub.arrived(LOBBY, [change])
    return change


async def test_what_the_memory_has_costs_no_query(store, open_room, page):
    for number in range(10):
        store.add(str(number))
    room = await open_room()
    answer = await page(room, after=7, epoch=EPOCH)
    assert (versions(answer), answer.head, answer.more) == ([8, 9, 10], 10, False)
    latest = await page(room)
    assert (versions(latest), latest.earlier) == (list(range(1, 11)), False)
    assert store.asked == []


async def test_the_latest_page_of_a_long_room_says_that_there_is_more_before(store, open_room, page):
    for number in range(limits.LATEST_PAGE + 1):
        store.add(str(number))
    answer = await page(await open_room())
    assert (len(answer.messages), answer.earlier) == (limits.LATEST_PAGE, True)


async def test_what_the_memory_has_not_is_read(store, open_room, page, short_memory):
    for number in range(short_memory + limits.CATCH_UP_PAGE):
        store.add(str(number))
    room = await open_room()
    answer = await page(room, after=0)
    assert answer.more
    assert versions(answer) == list(range(1, limits.CATCH_UP_PAGE + 1))
    rest = await page(room, after=answer.head)
    assert versions(rest) == list(range(answer.head + 1, store.head + 1))
    assert not rest.more


async def test_nothing_falls_between_what_is_read_and_what_comes_meanwhile(
    process, store, open_room, page, short_memory
):
    for number in range(4 * short_memory):
        store.add(str(number))
    room = await open_room()
    store.slow_down()
    answering = asyncio.create_task(page(room, after=1))
    await all_done()
    arrive(process, store, "meanwhile")
    store.answer()
    answer = await answering
    assert store.asked == ["changes_since"]
    assert versions(answer) == list(range(2, store.head + 1))
    assert answer.head == room.feed.head == store.head


async def test_the_latest_page_has_what_comes_while_it_is_read(process, store, open_room, page, short_memory):
    for number in range(4 * short_memory):
        store.add(str(number))
    room = await open_room()
    store.slow_down()
    answering = asyncio.create_task(page(room))
    await all_done()
    arrive(process, store, "meanwhile")
    store.answer()
    answer = await answering
    assert store.asked == ["before"]
    assert versions(answer) == list(range(1, store.head + 1))
    assert answer.head == store.head


async def test_a_position_ahead_of_this_process_is_looked_up_before_it_is_refused(store, open_room, page):
    """Another process was quicker: the client has seen what has not arrived here."""
    store.add("one")
    room = await open_room()
    store.add("two")
    store.add("three")
    answer = await page(room, after=2)
    assert (versions(answer), answer.head) == ([3], 3)


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        ({"after": 99}, "your position is ahead of the room"),
        ({"after": 3, "epoch": "another1"}, "the room was restored"),
        ({"after": 1}, "messages from then are no longer kept"),
    ],
)
async def test_a_position_from_which_nobody_can_go_on_is_refused_with_the_reason(
    store, open_room, page, position, reason
):
    for number in range(5):
        store.add(str(number))
    store.floor = 2
    answer = await page(await open_room(), **position)
    assert answer == Resync(id=1, room="lobby", reason=reason)


async def test_a_page_is_never_longer_than_a_page(process, store, open_room, page, monkeypatch):
    room = await open_room()
    body = store.add("x" * 1_000).body
    monkeypatch.setattr(limits, "PAGE_LIMIT_BYTES", 3 * len(body))
    process.runtime.hub.arrived(LOBBY, [Change(number, number, body, ordinal=number) for number in range(1, 9)])
    answer = await page(room, after=0)
    assert isinstance(answer, Joined)
    assert (len(answer.messages), answer.head, answer.more) == (3, 3, True)
    last = await page(room, after=6)
    assert (len(last.messages), last.head, last.more) == (2, 8, False)
