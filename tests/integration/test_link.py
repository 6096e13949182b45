"""The link between processes, on a real Redis: what a process publishes among others, and while it is alone."""

import asyncio
import gc

import pytest
from channels.layers import channel_layers
from channels_redis.pubsub import RedisPubSubLoopLayer
from redis.asyncio import Redis

from chat import limits
from chat.live import link
from chat.live.link import EVERYBODY, Link
from chatsite.server.layer import PubSubLayer
from chatsite.server.outages import Faults
from rig.programs import Valkey
from rig.waiting import until

PATIENCE_S = 20
RENEW = PubSubLayer.renew


class Process:
    """A link with a list of what came through it."""

    def __init__(self, name):
        self.heard = []
        self.link = Link(name, lambda kind, parcel: self.heard.append((kind, parcel)))

    async def hears(self, kind):
        await until(lambda: any(heard == kind for heard, _ in self.heard))


@pytest.fixture
def hasty(monkeypatch):
    """Pings every 50 ms; alone after half a second without others."""
    monkeypatch.setattr(limits, "PING_INTERVAL_S", 0.05)
    monkeypatch.setattr(limits, "PUBLISH_TIMEOUT_S", 2)
    monkeypatch.setattr(limits, "ALONE_AFTER_S", 0.5)
    monkeypatch.setattr(link, "faults", Faults(link.logger))


@pytest.fixture
async def start(hasty, monkeypatch):
    """Each process with a layer of its own, as in life: a link that subscribes afresh empties its layer."""
    processes = []

    async def start(name):
        monkeypatch.setattr(channel_layers, "backends", {})
        processes.append(Process(name))
        await processes[-1].link.start()
        await processes[-1].link.add("room.1")
        return processes[-1]

    yield start
    for process in processes:
        await process.link.stop()


@pytest.fixture
async def redis(settings):
    (host,) = settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    redis = Redis.from_url(host if isinstance(host, str) else host["address"], decode_responses=True)
    yield redis
    await redis.aclose()


async def groups_of(redis):
    """The groups that are subscribed to, of whomever."""
    return {channel.partition("__group__")[2] for channel in await redis.pubsub_channels("*__group__*")}


async def until_alone(process):
    await until(process.link.is_alone)


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


async def test_one_wait_is_enough_for_many_groups(start, monkeypatch):
    """Who adds them one after the other waits for each, on a Redis that stands still."""
    ada = await start("ada")
    both = asyncio.Barrier(2)
    monkeypatch.setattr(ada.link._layer, "group_add", lambda group, channel: both.wait(), raising=False)
    ada.link._unsettled = {EVERYBODY, "room.1"}
    await ada.link._settle_all()
    assert not ada.link._unsettled


async def test_groups_are_settled_in_portions_pings_first_until_one_fails(start, monkeypatch):
    asked = []

    async def group_add(group, channel):
        asked.append(group)
        if len(asked) > 2:
            raise ConnectionError

    ada = await start("ada")
    monkeypatch.setattr(limits, "GROUPS_TOGETHER", 2)
    monkeypatch.setattr(ada.link._layer, "group_add", group_add, raising=False)
    ada.link._groups = {EVERYBODY, "room.1", "room.2", "room.3", "room.4"}
    ada.link._unsettled = set(ada.link._groups)
    await ada.link._settle_all()
    assert len(asked) == 4
    assert EVERYBODY in asked[:2]
    assert ada.link._unsettled == ada.link._groups - set(asked[:2])


async def test_what_is_joined_and_left_while_the_link_is_down_follows(start, redis):
    ada = await start("ada")
    ada.link._note_down("on purpose")
    await ada.link.discard("room.1")
    await ada.link.add("room.2")
    ada.link._note_back()

    async def is_settled():
        return await groups_of(redis) == {EVERYBODY, "room.2"}

    await until(is_settled)


async def test_a_redis_that_is_away_costs_no_more_with_time(start, settings, tmp_path, monkeypatch):
    """Each attempt has connections of its own: nothing of the one before may go on, or stay."""
    monkeypatch.setattr(limits, "PING_DEADLINE_S", 0.05)
    monkeypatch.setitem(settings.CHANNEL_LAYERS["default"]["CONFIG"], "hosts", [f"unix://{tmp_path}/nobody"])
    monkeypatch.setattr(channel_layers, "backends", {})
    attempts = []
    monkeypatch.setattr(PubSubLayer, "renew", lambda layer: attempts.append(1) or RENEW(layer))
    await start("ada")
    await until(lambda: len(attempts) >= 10)
    gc.collect()
    assert len([task for task in asyncio.all_tasks() if "_do_receiving" in repr(task)]) <= 1
    assert len([thing for thing in gc.get_objects() if isinstance(thing, RedisPubSubLoopLayer)]) <= 2


# What the log says, and the plain layer


@pytest.fixture
def valkey(settings, tmp_path_factory, monkeypatch):
    """A Redis of one's own, which may be ended."""
    valkey = Valkey(tmp_path_factory.mktemp("v"))
    monkeypatch.setitem(settings.CHANNEL_LAYERS["default"]["CONFIG"], "hosts", [valkey.url])
    yield valkey
    valkey.stop()


@pytest.fixture(params=["chatsite.server.courier.layer", "channels_redis.pubsub.RedisPubSubChannelLayer"])
def either_layer(request, settings, valkey, monkeypatch):
    monkeypatch.setitem(settings.CHANNEL_LAYERS["default"], "BACKEND", request.param)


def lines(caplog, *loggers):
    return [record.getMessage() for record in caplog.records if record.name in loggers]


async def test_a_redis_that_ends_and_comes_back_is_two_lines_and_the_link_goes_on(
    start, either_layer, valkey, caplog, monkeypatch
):
    """On our layer, and on channels-redis' own, which the site falls back to."""
    monkeypatch.setattr(limits, "PING_INTERVAL_S", 0.4)  # the plain layer looks for messages ten times a second
    monkeypatch.setattr(limits, "PING_DEADLINE_S", 5)  # and pauses for a second after a fault
    ada, bob = await start("ada"), await start("bob")
    await bob.hears("ping")
    ada.link.publish("room.1", "changes", {"number": 1})
    await bob.hears("changes")
    valkey.kill()
    await until(lambda: not ada.link._is_up and not bob.link._is_up)
    await ada.link.add("room.2")
    await bob.link.add("room.2")
    valkey.start()
    await until(lambda: lines(caplog, "chat.link").count("the channel layer is back") == 2)
    bob.heard.clear()
    ada.link.publish("room.2", "typing", {})
    await bob.hears("typing")
    said = lines(caplog, "chat.link", "chatsite.server.layer", "chatsite.hooks", "chatsite.server.courier")
    assert len(said) == 4
    assert all(line.startswith("the channel layer is") for line in said)
    assert not any(record.exc_info for record in caplog.records if record.name.startswith("chat"))


async def test_a_fault_is_told_once_and_nothing_ends(start, either_layer, caplog, monkeypatch):
    """Such as a library that changed: whoever publishes tries again, and the log has one traceback."""
    monkeypatch.setattr(limits, "PING_INTERVAL_S", 0.2)
    monkeypatch.setattr(limits, "PING_DEADLINE_S", 1)
    ada = await start("ada")
    attempts = []

    async def group_send(group, parcel):
        attempts.append(1)
        raise AttributeError("on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(ada.link._layer, "group_send", group_send, raising=False)
        await until(lambda: len(attempts) > 5)
    (told,) = [record for record in caplog.records if record.exc_info and record.name == "chat.link"]
    assert "could not publish" in told.getMessage()
    await until(lambda: "the channel layer is back" in lines(caplog, "chat.link"))
