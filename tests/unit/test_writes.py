"""Batches of writes: each is answered within its time, and what was given up is not written."""

import asyncio
import threading

import pytest

from chat import database, limits
from chat.database import Threads, Unavailable
from chat.messages import ledger
from chat.messages.writes import Writes
from rig.waiting import all_done

PATIENCE_S = 20


class Database:
    """Writes nothing until the test opens it, and remembers what it wrote, batch by batch."""

    def __init__(self):
        self._open, self.begun, self.written = threading.Event(), threading.Event(), []

    def write(self, entries):
        self.begun.set()
        assert self._open.wait(PATIENCE_S)
        self.written.append(entries)
        return [f"receipt of {entry}" for entry in entries], []

    def open(self):
        self._open.set()


@pytest.fixture
def slow(monkeypatch):
    slow = Database()
    monkeypatch.setattr(ledger, "write", slow.write)
    monkeypatch.setattr(database, "writer", Threads(1, "test"))
    yield slow
    slow.open()


@pytest.fixture
async def later(monkeypatch):
    """later(seconds): the clock of the loop goes on, and what is due is done."""
    loop = asyncio.get_running_loop()
    real, skipped = loop.time, 0.0

    async def later(seconds):
        nonlocal skipped
        skipped += seconds
        await all_done()

    monkeypatch.setattr(loop, "time", lambda: real() + skipped)
    return later


@pytest.fixture
async def writes(slow, later):
    """With a batch that the database does not finish."""
    writes = Writes(lambda changed: None)
    writes.first = writes.write("first")
    assert await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
    yield writes
    slow.open()
    await writes.drained()
    await asyncio.wait([writes.first])
    writes.first.exception()


def is_given_up(future):
    return future.done() and isinstance(future.exception(), Unavailable)


async def written(future):
    return await asyncio.wait_for(future, PATIENCE_S)


async def test_who_waits_behind_a_slow_batch_is_answered_in_their_own_time(writes, later):
    await later(limits.DATABASE_PATIENCE_S - 2)
    second = writes.write("second")
    await later(3)
    assert is_given_up(writes.first)
    assert not second.done()
    await later(limits.DATABASE_PATIENCE_S - 2)
    assert is_given_up(second)


async def test_what_was_given_up_is_not_written_with_the_others_of_its_batch(writes, later, slow):
    await later(limits.DATABASE_PATIENCE_S - 4)
    second = writes.write("second")
    await later(2)
    third = writes.write("third")
    await later(3)
    await later(limits.DATABASE_PATIENCE_S - 4)
    assert is_given_up(second)
    slow.open()
    assert await written(third) == "receipt of third"
    assert slow.written == [["first"], ["third"]]


async def test_what_was_given_up_while_it_waited_is_not_in_the_next_batch(writes, later, slow, monkeypatch):
    monkeypatch.setattr(limits, "BATCH_LIMIT", 1)
    second = writes.write("second")
    await later(limits.DATABASE_PATIENCE_S + 1)
    assert is_given_up(second)
    slow.open()
    assert await written(writes.write("third")) == "receipt of third"
    assert slow.written == [["first"], ["third"]]


async def test_a_batch_that_ends_late_leaves_alone_who_was_told_already(writes, later, slow):
    second = writes.write("second")
    await later(limits.DATABASE_PATIENCE_S + 1)
    slow.open()
    assert await written(writes.write("third")) == "receipt of third"
    assert is_given_up(writes.first)
    assert is_given_up(second)


async def test_one_timer_serves_those_who_come_when_it_has_rung(writes, later, slow):
    slow.open()
    await written(writes.first)
    await later(limits.DATABASE_PATIENCE_S + 1)
    assert await written(writes.write("second")) == "receipt of second"
