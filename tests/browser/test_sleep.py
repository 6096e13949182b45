"""A laptop that was closed: all of its browser stands still, and what it shows is right again as soon as it wakes."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest_asyncio

from rig.staging import Place
from rig.tuned import HASTY
from tests.browser.chromium import launch
from tests.browser.people import Chat

PROMISED_S = 2


@pytest_asyncio.fixture(loop_scope="session")
async def laptop(playwright):
    """A browser of its own."""
    browser = await launch(playwright)
    yield browser
    await browser.close()


@asynccontextmanager
async def asleep(laptop):
    session = await laptop.new_browser_cdp_session()
    processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    for process in processes:
        os.kill(process["id"], signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process["id"], signal.SIGCONT)


async def change_this_and_that(carol):
    await carol.ask("edit", room=carol.room, seq=1, text="one, corrected")
    await carol.ask("delete", room=carol.room, seq=2)
    await carol.says("four")


async def sees_what_changed(alice):
    async with asyncio.timeout(PROMISED_S):
        await alice.sees_just("one, corrected", "This message was deleted.", "three", "four")


async def test_after_a_nap(place, laptop):
    chat = Chat(place, laptop)
    alice = await chat.enter("alice")
    async with place.person("carol", process=1) as carol:
        for text in ("one", "two", "three"):
            await carol.says(text)
        await alice.sees_just("one", "two", "three")
        async with asleep(laptop):
            await change_this_and_that(carol)
        await sees_what_changed(alice)
    assert alice.connections == 1
    assert chat.complaints == []


async def test_after_a_sleep_so_long_that_the_server_gave_up(start_site, laptop):
    place = Place(start_site(**HASTY), 0)
    chat = Chat(place, laptop)
    alice = await chat.enter("alice")
    async with place.person("carol", process=1) as carol:
        for text in ("one", "two", "three"):
            await carol.says(text)
        await alice.sees_just("one", "two", "three")
        async with asleep(laptop):
            await carol.waits_for(lambda: alice.name not in carol.online)
            await change_this_and_that(carol)
        await sees_what_changed(alice)
    await alice.is_told("Online")
    assert chat.complaints == []
