"""What the log says while something does not work."""

import asyncio
import logging

import pytest

from chatsite.server import outages
from chatsite.server.outages import Faults, Outage, forever, spawn
from rig.clock import Clock
from rig.waiting import turns

logger = logging.getLogger("tests")


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(outages.time, "monotonic", lambda: 1_000.0 + clock.now)
    return clock


@pytest.fixture
def outage(clock):
    return Outage(logger, "the database does not answer", "the database answers again")


def test_an_outage_is_one_line_when_it_begins_and_one_when_it_is_over(outage, clock, caplog):
    for _ in range(100):
        outage.note("connection refused")
        outage.is_over()
        clock.now += 1
    clock.now += outages.CALM_S
    outage.is_over()
    outage.is_over()
    assert caplog.messages == ["the database does not answer: connection refused", "the database answers again"]


def test_each_reason_is_told(outage, caplog):
    for reason in ("connection refused", "disk full", "connection refused"):
        outage.note(reason)
    assert len(caplog.messages) == 2


def test_the_next_outage_is_told_too(outage, clock, caplog):
    outage.note("away")
    clock.now += outages.CALM_S
    outage.is_over()
    outage.note("away")
    assert len(caplog.messages) == 3


def test_the_next_outage_is_told_though_nobody_noticed_the_end_of_the_last_one(outage, clock, caplog):
    outage.note("away")
    clock.now += outages.FORGOTTEN_S + 1
    outage.note("away")
    assert len(caplog.messages) == 2


def test_a_fault_is_told_with_a_traceback_once(clock, caplog):
    faults = Faults(logger)
    for _ in range(3):
        faults.tell("failed", KeyError("x"))
    faults.tell("failed", ValueError("x"))
    assert [record.exc_info[0] for record in caplog.records] == [KeyError, ValueError]
    clock.now += outages.SAME_FAULT_S
    faults.tell("failed", KeyError("x"))
    assert len(caplog.records) == 3


async def test_a_round_that_fails_is_not_the_last_one(caplog, monkeypatch):
    monkeypatch.setattr(outages, "PAUSE_S", 0)
    rounds, enough = [], asyncio.Event()

    async def round_():
        rounds.append(1)
        if len(rounds) == 3:
            enough.set()
            await asyncio.Event().wait()
        raise KeyError("on purpose")

    task = asyncio.create_task(forever(round_, Faults(logger), "a round failed"))
    await asyncio.wait_for(enough.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(caplog.messages) == 1


async def test_a_task_that_nobody_awaits_tells_how_it_failed(caplog):
    async def fail():
        raise KeyError("on purpose")

    await asyncio.wait([spawn(fail(), Faults(logger), "it failed")])
    await turns()
    assert "it failed" in caplog.text
    assert "KeyError" in caplog.text
