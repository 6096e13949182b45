"""How far people have read: never back, written together, and not lost by an outage or by leaving."""

import asyncio

import pytest
from django.db import IntegrityError

from chat.live import read_positions
from chat.live.read_positions import Position, ReadPositions
from chat.wire.refusals import Refusal
from rig.waiting import all_done, turns

ALICE, BOB = 7, 8
LOBBY, GARDEN = 1, 2


def at(ordinal, user_id=ALICE, room_id=LOBBY):
    return Position(user_id, room_id, f"room-{room_id}", ordinal)


class Keeper:
    """Writes and publishes; the database may be away, or wait for the test."""

    def __init__(self):
        self.written, self.published = [], []
        self.problem = None
        self.go = asyncio.Event()
        self.go.set()
        self.positions = ReadPositions(self.write, self.published.append)

    async def write(self, ordinals):
        await self.go.wait()
        if self.problem is not None:
            raise self.problem
        self.written.append(dict(ordinals))


@pytest.fixture
async def keeper(monkeypatch):
    monkeypatch.setattr(read_positions, "GONE_TOGETHER_S", 0)
    monkeypatch.setattr(read_positions, "PUBLISHED_TOGETHER_S", 0)
    keeper = Keeper()
    yield keeper
    keeper.problem = None
    keeper.go.set()
    await keeper.positions.stop()


async def test_the_furthest_counts_and_nobody_goes_back(keeper):
    assert [keeper.positions.move(at(ordinal)) for ordinal in (3, 2, 3, 4)] == [True, False, False, True]
    await keeper.positions.written()
    assert keeper.written == [{(ALICE, LOBBY): 4}]


async def test_thousands_of_positions_are_one_write(keeper):
    for user_id in range(3_000):
        keeper.positions.move(at(1, user_id))
    await keeper.positions.written()
    assert [len(written) for written in keeper.written] == [3_000]


@pytest.mark.parametrize("problem", [Refusal("unavailable", "away"), IntegrityError("the room is gone")], ids=repr)
async def test_what_could_not_be_written_is_written_the_next_time_with_what_came_since(keeper, problem):
    """A room that is deleted at that moment is no reason to forget where thousands are, or to refuse a hello."""
    keeper.positions.move(at(3))
    keeper.positions.move(at(5, room_id=GARDEN))
    keeper.problem = problem
    await keeper.positions.written()
    keeper.positions.move(at(4))
    keeper.problem = None
    await keeper.positions.written()
    assert keeper.written == [{(ALICE, LOBBY): 4, (ALICE, GARDEN): 5}]


async def test_what_is_read_while_it_is_written_is_written_too_and_does_not_go_back(keeper):
    keeper.go.clear()
    keeper.positions.move(at(3))
    writing = asyncio.create_task(keeper.positions.written())
    await turns()
    assert keeper.positions.of_user(ALICE) == {LOBBY: 3}
    assert keeper.positions.is_unwritten(ALICE)
    assert [keeper.positions.move(at(ordinal)) for ordinal in (2, 3, 4)] == [False, False, True]
    keeper.go.set()
    await writing
    await keeper.positions.written()
    assert keeper.written == [{(ALICE, LOBBY): 3}, {(ALICE, LOBBY): 4}]


async def test_whoever_leaves_is_written_at_once(keeper):
    keeper.positions.move(at(3))
    keeper.positions.gone(BOB)
    await all_done()
    assert keeper.written == []
    keeper.positions.gone(ALICE)
    await all_done()
    assert keeper.written == [{(ALICE, LOBBY): 3}]


async def test_nothing_is_left_unwritten_when_the_process_stops(keeper):
    keeper.positions.start()
    keeper.positions.move(at(3))
    await keeper.positions.stop()
    assert keeper.written == [{(ALICE, LOBBY): 3}]


async def test_the_other_processes_hear_many_positions_in_one_parcel(keeper):
    keeper.positions.move(at(1))
    keeper.positions.move(at(1, BOB))
    await all_done()
    assert keeper.published == [[at(1), at(1, BOB)]]


async def test_what_another_process_heard_counts_here_until_it_is_written(keeper):
    assert keeper.positions.heard([at(3)]) == [at(3)]
    assert keeper.positions.of_user(ALICE) == {LOBBY: 3}
    assert not keeper.positions.move(at(2))
    await keeper.positions.written()
    assert keeper.written == [], "its own process writes it"


async def test_a_device_that_is_behind_in_another_process_takes_nobody_back(keeper):
    """Two devices read at the same moment, each in a process of its own, and the parcels cross."""
    keeper.positions.move(at(5))
    assert keeper.positions.heard([at(3), at(3, BOB), at(2, BOB)]) == [at(3, BOB)]
    assert keeper.positions.of_user(ALICE) == {LOBBY: 5}
    assert keeper.positions.of_user(BOB) == {LOBBY: 3}


async def test_what_others_heard_is_forgotten_once_they_must_have_written_it(keeper):
    keeper.positions.heard([at(3)])
    for _ in range(2):
        assert keeper.positions.of_user(ALICE) == {LOBBY: 3}
        keeper.positions._aged_at = -1_000_000
        keeper.positions._age_elsewhere()
    assert keeper.positions.of_user(ALICE) == {}


async def test_what_others_have_said_is_written_once_for_those_who_ask(keeper):
    keeper.positions.heard([at(3), at(2, BOB)])
    keeper.positions.move(at(4))
    await keeper.positions.heard_ones_written()
    await keeper.positions.heard_ones_written()
    assert keeper.written == [{(ALICE, LOBBY): 4, (BOB, LOBBY): 2}]
    assert keeper.positions.of_user(BOB) == {}


async def test_what_others_have_said_is_kept_while_the_database_is_away(keeper):
    keeper.positions.heard([at(3)])
    keeper.problem = Refusal("unavailable", "Away.")
    await keeper.positions.heard_ones_written()
    assert keeper.positions.of_user(ALICE) == {LOBBY: 3}
