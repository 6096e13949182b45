"""The link between processes, on a real Redis: what a process publishes among others, and while it is alone."""

import asyncio
import gc
from types import SimpleNamespace

import pytest
from channels.layers import channel_layers
from channels_redis.pubsub import RedisPubSubLoopLayer

from chat import conf
from chat.link import EVERYBODY, Link
from chatsite.layer import PubSubLayer

PATIENCE_S = 20
RENEW = PubSubLayer.renew


class Process:
    """A link with a list of what came through it."""

    def __init__(self, name):
        self.heard = []
        self.link = Link(name, lambda kind, parcel: self.heard.append((kind, parcel)))

    async def hears(self, kind):
        async with asyncio.timeout(PATIENCE_S):
            while not any(heard == kind for heard, _ in self.heard):  # noqa: ASYNC110 (nothing announces it)
                await asyncio.sleep(0.01)


@pytest.fixture
def hasty(monkeypatch):
    """Pings every 50 ms; alone after half a second without others."""
    monkeypatch.setattr(conf, "PING_INTERVAL_S", 0.05)
    monkeypatch.setattr(conf, "PUBLISH_TIMEOUT_S", 2)
    monkeypatch.setattr(conf, "ALONE_AFTER_S", 0.5)


@pytest.fixture
async def start(hasty):
    processes = []

    async def start(name):
        processes.append(Process(name))
        await processes[-1].link.start()
        await processes[-1].link.add("room.1")
        return processes[-1]

    yield start
    for process in processes:
        await process.link.stop()


async def until_alone(process):
    async with asyncio.timeout(PATIENCE_S):
        while not process.link.is_alone():  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0.01)


async def test_who_is_alone_keeps_the_parcels_of_rooms(start):
    ada = await start("ada")
    await until_alone(ada)
    ada.link.publish("room.1", "changes", {})
    assert not ada.link._queue
    ada.link.publish(EVERYBODY, "read", {})
    assert ada.link._queue


async def test_whoever_starts_ends_the_solitude(start):
    ada = await start("ada")
    await until_alone(ada)
    bob = await start("bob")
    await ada.hears("ping")
    ada.link.publish("room.1", "changes", {"number": 1})
    await bob.hears("changes")


async def test_who_was_left_is_alone_again(start):
    ada, bob = await start("ada"), await start("bob")
    await ada.hears("ping")
    assert not ada.link.is_alone()
    await bob.link.stop()
    await until_alone(ada)


async def test_one_wait_is_enough_for_all_groups(start, monkeypatch):
    """Who adds them one after the other waits for each, on a Redis that stands still."""
    ada = await start("ada")
    both = asyncio.Barrier(2)
    monkeypatch.setattr(ada.link, "_layer", SimpleNamespace(group_add=lambda group, channel: both.wait()))
    await ada.link._add_all()
    assert ada.link._is_up


async def test_a_redis_that_is_away_costs_no_more_with_time(start, settings, tmp_path, monkeypatch):
    """Each attempt has connections of its own: nothing of the one before may go on, or stay."""
    monkeypatch.setattr(conf, "PING_DEADLINE_S", 0.05)
    monkeypatch.setitem(settings.CHANNEL_LAYERS["default"]["CONFIG"], "hosts", [f"unix://{tmp_path}/nobody"])
    monkeypatch.setattr(channel_layers, "backends", {})
    attempts = []
    monkeypatch.setattr(PubSubLayer, "renew", lambda layer: attempts.append(1) or RENEW(layer))
    await start("ada")
    async with asyncio.timeout(PATIENCE_S):
        while len(attempts) < 10:  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0.01)
    gc.collect()
    assert len([task for task in asyncio.all_tasks() if "_do_receiving" in repr(task)]) <= 1
    assert len([thing for thing in gc.get_objects() if isinstance(thing, RedisPubSubLoopLayer)]) <= 2
