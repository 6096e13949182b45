"""What the people of a chaos run say unasked: how far they have read, and that they type."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from chaos import drafts, reading
from chaos.options import Options
from rig.waiting import all_done


class Line:
    """What was said, and whether there is a line to say it over."""

    def __init__(self):
        self.said = []
        self.is_there = True

    async def say(self, verb, ordinal=0):
        if self.is_there:
            self.said.append((verb["type"], verb["room"], verb.get("seq", verb.get("on", True))))
        return self.is_there


@pytest.fixture
def line():
    return Line()


@asynccontextmanager
async def reader(line, monkeypatch, every_s=0.0):
    monkeypatch.setattr(reading, "READ_EVERY_S", every_s)
    reader = reading.Reading(line.say)
    telling = asyncio.create_task(reader.tell())
    yield reader
    telling.cancel()


def message(ordinal):
    return {"room": "lobby", "seq": 10 * ordinal, "ordinal": ordinal}


async def test_says_what_is_seen_once_and_never_backwards(line, monkeypatch):
    async with reader(line, monkeypatch) as bob:
        for ordinal in (1, 3, 2):
            bob.seen(message(ordinal))
            await all_done()
        assert line.said == [("read", "lobby", 10), ("read", "lobby", 30)]


async def test_says_the_latest_of_what_is_seen_within_a_second(line, monkeypatch):
    async with reader(line, monkeypatch, every_s=60) as bob:
        bob.seen(message(1))
        bob.seen(message(2))
        await all_done()
        bob.seen(message(3))
        await all_done()
        assert line.said == [("read", "lobby", 20)]


async def test_says_nothing_that_the_server_knows(line, monkeypatch):
    async with reader(line, monkeypatch) as bob:
        bob.known("lobby", 2)
        bob.seen(message(2))
        await all_done()
        assert line.said == []


async def test_says_later_what_there_was_no_line_for(line, monkeypatch):
    async with reader(line, monkeypatch) as bob:
        line.is_there = False
        bob.seen(message(1))
        await all_done()
        line.is_there = True
        bob.resume()
        await all_done()
        assert line.said == [("read", "lobby", 10)]


async def test_a_draft_is_told_once_in_three_seconds_in_each_room_and_when_it_is_gone(line):
    author = drafts.Drafts(line.say)
    for room in ("lobby", "lobby", "tower"):
        await author.typed(room)
    await author.thrown_away("lobby")
    await author.thrown_away("lobby")
    assert line.said == [("typing", "lobby", True), ("typing", "tower", True), ("typing", "lobby", False)]


def test_everybody_is_in_the_first_room_and_some_in_each_of_the_others():
    options = Options(7, 60, ("kill",))
    rooms = [options.rooms_of(number) for number in range(8)]
    assert all(len(set(places)) == options.places and places[0] == "lobby" for places in rooms)
    assert {room: sum(room in places for places in rooms) for room in options.rooms[1:]} == dict.fromkeys(
        options.rooms[1:], 4
    )
