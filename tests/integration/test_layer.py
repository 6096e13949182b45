"""The channel layer on a real Valkey: what is published is heard, without an answer, and again after trouble."""

import asyncio

import pytest
from channels_redis.pubsub import RedisSingleShardConnection
from redis.asyncio import Redis

from chatsite.server import layer as layers
from chatsite.server.layer import PubSubLayer, Shard
from rig.programs import Valkey
from rig.waiting import turns, until

PATIENCE_S = 20
EVERYTHING_BUT_CLIENT = ("ACL", "SETUSER", "default", "on", "nopass", "~*", "&*", "+@all", "-client")


@pytest.fixture
def valkey(tmp_path_factory):
    valkey = Valkey(tmp_path_factory.mktemp("v"))
    yield valkey
    if valkey.is_running:
        valkey.kill()


class Hearer:
    """A layer with one channel in the group `room`."""

    def __init__(self, valkey):
        self.layer = PubSubLayer(hosts=[{"address": valkey.url, "socket_timeout": 0.05}])
        self.channel = ""

    async def subscribe(self):
        self.channel = await self.layer.new_channel()
        await self.layer.group_add("room", self.channel)

    async def hears(self):
        async with asyncio.timeout(PATIENCE_S):
            return (await self.layer.receive(self.channel))["number"]


@pytest.fixture
async def hearer(valkey):
    hearer = Hearer(valkey)
    await hearer.subscribe()
    yield hearer
    await hearer.layer.flush()


@pytest.fixture
async def layer(valkey):
    layer = PubSubLayer(hosts=[valkey.url])
    yield layer
    await layer.flush()


@pytest.fixture
async def redis(valkey):
    redis = Redis.from_url(valkey.url)
    yield redis
    await redis.aclose()


@pytest.fixture
def answered(monkeypatch):
    """What was published as channels-redis does it."""
    answered, publish = [], RedisSingleShardConnection.publish

    async def note(self, channel, message):
        answered.append(channel)
        await publish(self, channel, message)

    monkeypatch.setattr(RedisSingleShardConnection, "publish", note)
    return answered


@pytest.fixture
async def adding(hearer, valkey):
    """On its way into the group `other`, on a Redis that stands still."""
    valkey.freeze()
    adding = asyncio.create_task(hearer.layer.group_add("other", hearer.channel))
    await turns(100)
    return adding


async def publish(layer, *numbers):
    for number in numbers:
        await layer.group_send("room", {"type": "parcel", "number": number})


async def publish_until_heard(layer, hearer, number):
    """What is published while a connection is found to be dead is lost, as it may be."""

    async def publish_again_and_again():
        while True:
            await publish(layer, number)
            await asyncio.sleep(0.05)

    publishing = asyncio.create_task(publish_again_and_again())
    assert await hearer.hears() == number
    publishing.cancel()


async def clients_who_published(redis):
    return [client for client in await redis.client_list() if client["cmd"] == "publish"]


async def subscribers(redis):
    return [client for client in await redis.client_list() if client["cmd"].endswith("subscribe")]


async def test_what_is_published_is_heard_in_order(layer, hearer, answered):
    await publish(layer, *range(1_000))
    assert [await hearer.hears() for _ in range(1_000)] == list(range(1_000))
    assert answered == []


async def test_who_subscribes_waits_for_redis(layer, hearer, adding, valkey):
    """What is published once they are in the group comes to them, however slow Redis was in taking both."""
    assert not adding.done()
    valkey.thaw()
    await asyncio.wait_for(adding, PATIENCE_S)
    await layer.group_send("other", {"type": "parcel", "number": 1})
    assert await hearer.hears() == 1


async def test_who_subscribes_is_subscribed_after_a_restart_too(layer, hearer, adding, valkey):
    valkey.kill()
    valkey.start()
    await asyncio.wait_for(adding, PATIENCE_S)
    await layer.group_send("other", {"type": "parcel", "number": 1})
    assert await hearer.hears() == 1


async def test_a_subscription_that_was_refused_is_asked_for_again(layer, hearer, redis, monkeypatch):
    monkeypatch.setattr(layers, "AFTER_TROUBLE_S", 0)
    await redis.execute_command("ACL", "SETUSER", "default", "-subscribe")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hearer.layer.group_add("other", hearer.channel), 0.5)
    await redis.execute_command("ACL", "SETUSER", "default", "+subscribe")
    await asyncio.wait_for(hearer.layer.group_add("other", hearer.channel), PATIENCE_S)
    await layer.group_send("other", {"type": "parcel", "number": 1})
    assert await hearer.hears() == 1


async def test_nobody_waits_for_a_subscription_that_is_wanted_no_more(hearer, adding):
    await hearer.layer.group_discard("other", hearer.channel)
    await asyncio.wait_for(adding, PATIENCE_S)


async def test_nobody_waits_for_a_subscription_that_was_flushed(hearer, adding):
    await hearer.layer.flush()
    await asyncio.wait_for(adding, PATIENCE_S)


async def test_redis_answers_no_publish(layer, hearer, redis):
    await publish(layer, *range(10))
    assert await hearer.hears() == 0
    (unanswered,) = await clients_who_published(redis)
    assert int(unanswered["tot-net-in"]) > 0
    before = int(unanswered["tot-net-out"])
    await publish(layer, *range(10, 1_000))
    while await hearer.hears() != 999:
        pass
    (unanswered,) = await clients_who_published(redis)
    assert int(unanswered["tot-net-out"]) == before


async def test_it_is_heard_again_after_a_restart_of_redis(layer, hearer, valkey, redis, answered):
    await publish(layer, 1)
    assert await hearer.hears() == 1
    valkey.kill()
    valkey.start()
    await hearer.layer.flush()
    await hearer.subscribe()
    await publish_until_heard(layer, hearer, 2)
    assert answered == []
    assert len(await clients_who_published(redis)) == 1


async def test_a_connection_that_was_cut_is_made_again_and_is_unanswered_again(layer, hearer, redis):
    await publish(layer, 1)
    (unanswered,) = await clients_who_published(redis)
    await redis.client_kill_filter(_id=unanswered["id"])
    await publish_until_heard(layer, hearer, 1)
    await publish_until_heard(layer, hearer, 1)
    (again,) = await clients_who_published(redis)
    assert again["id"] != unanswered["id"]


async def test_where_client_reply_is_refused_publishing_is_answered(layer, hearer, redis, answered):
    await redis.execute_command(*EVERYTHING_BUT_CLIENT)
    await publish(layer, 1, 2)
    assert [await hearer.hears(), await hearer.hears()] == [1, 2]
    assert len(answered) == 2


async def test_nothing_stays_open_after_a_flush(layer, hearer, redis):
    await publish(layer, 1)
    assert await hearer.hears() == 1
    await layer.flush()

    async def is_nothing_open():
        return not await clients_who_published(redis)

    await until(is_nothing_open)
    await publish_until_heard(layer, hearer, 2)


async def test_who_listens_is_called(layer, valkey):
    heard = asyncio.Queue()
    channel = await layer.new_channel()
    layer.listen(channel, heard.put_nowait)
    await layer.group_add("room", channel)
    await publish(layer, 1, 2)
    async with asyncio.timeout(PATIENCE_S):
        assert [(await heard.get())["number"], (await heard.get())["number"]] == [1, 2]


async def test_who_hears_goes_on_when_the_connection_is_cut(layer, hearer, redis):
    (subscriber,) = await subscribers(redis)
    await redis.client_kill_filter(_id=subscriber["id"])
    await publish_until_heard(layer, hearer, 1)


async def test_who_hears_connects_again_only_while_nobody_else_does(layer, hearer, redis, monkeypatch):
    """Two at once on one connection would read each other's answers."""
    shard = hearer.layer._get_layer()._shards[0]
    connection, was_locked = shard._pubsub.connection, []
    connect = connection.connect

    async def note():
        was_locked.append(shard._lock.locked())
        await connect()

    monkeypatch.setattr(connection, "connect", note)
    (subscriber,) = await subscribers(redis)
    await redis.client_kill_filter(_id=subscriber["id"])
    await publish_until_heard(layer, hearer, 1)
    assert was_locked
    assert all(was_locked)


async def test_silence_ends_no_subscription(layer, hearer, redis):
    """Whatever time limit the settings give."""
    (before,) = await subscribers(redis)

    async def has_lasted():
        return int((await subscribers(redis))[0]["age"]) >= 2

    await until(has_lasted)
    (after,) = await subscribers(redis)
    assert after["id"] == before["id"]


async def test_what_cannot_be_taken_holds_up_nothing(layer, monkeypatch):
    heard = asyncio.Queue()

    def hear(message):
        if message["number"] == 1:
            raise RuntimeError("on purpose")
        heard.put_nowait(message["number"])

    channel = await layer.new_channel()
    layer.listen(channel, hear)
    await layer.group_add("room", channel)
    monkeypatch.setattr(layers, "AFTER_TROUBLE_S", 10 * PATIENCE_S)
    await publish(layer, 1, 2)
    async with asyncio.timeout(PATIENCE_S):
        assert await heard.get() == 2


async def test_who_cannot_connect_lets_the_others_work(layer, hearer, valkey, monkeypatch):
    """A connection to a Unix socket fails without giving up the turn."""
    attempts = []
    connect = Shard._connect

    async def attempt(self):
        attempts.append(1)
        await connect(self)

    valkey.kill()
    monkeypatch.setattr(Shard, "_connect", attempt)
    await until(lambda: len(attempts) >= 3)
    valkey.start()
    await publish_until_heard(layer, hearer, 1)


async def test_a_flush_can_be_cancelled(layer, hearer):
    """Whoever waits for a flush no more is not to find themselves going on after it."""
    shard = hearer.layer._get_layer()._shards[0]
    async with shard._lock:
        flushing = asyncio.create_task(hearer.layer.flush())
        await turns()
    await turns()
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
