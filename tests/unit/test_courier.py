"""Which channel layer the site has: ours, or channels-redis' own where ours does not fit it."""

import sys

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from redis.asyncio.connection import AbstractConnection

from chatsite import logs
from chatsite.server import courier
from chatsite.server.layer import PubSubLayer

CONFIG = {"hosts": ["redis://127.0.0.1:6379/0"], "prefix": "site"}


def test_our_layer_fits_what_is_installed(caplog):
    layer = courier.layer(**CONFIG)
    assert type(layer) is PubSubLayer
    assert layer._kwargs == CONFIG
    assert caplog.messages == []


async def test_it_is_tried_while_a_loop_is_running():
    assert type(courier.layer(**CONFIG)) is PubSubLayer


def falls_back(caplog):
    layer = courier.layer(**CONFIG)
    (line,) = caplog.messages
    assert "is not used" in line
    assert type(layer) is RedisPubSubChannelLayer
    assert layer._kwargs == CONFIG
    return True


def test_a_method_with_other_parameters_does_not_fit(caplog, monkeypatch):
    monkeypatch.setattr(RedisSingleShardConnection, "publish", lambda self, channel, message, ttl: None)
    assert falls_back(caplog)


def test_a_method_that_is_gone_does_not_fit(caplog, monkeypatch):
    monkeypatch.delattr(RedisSingleShardConnection, "_do_receiving")
    assert falls_back(caplog)


@pytest.mark.parametrize(
    ("owner", "part"),
    [
        (RedisSingleShardConnection, "_ensure_receiver"),
        (RedisSingleShardConnection, "_ensure_redis"),
        (AbstractConnection, "register_connect_callback"),
    ],
)
def test_a_private_part_that_is_gone_does_not_fit(caplog, monkeypatch, owner, part):
    monkeypatch.delattr(owner, part)
    assert falls_back(caplog)


def test_a_layer_that_hears_nothing_does_not_fit(caplog, monkeypatch):
    monkeypatch.setattr(RedisSingleShardConnection, "_receive_message", lambda self, message: None)
    monkeypatch.setattr(courier, "REHEARSAL_TIMEOUT_S", 0.2)
    assert falls_back(caplog)


def test_a_module_that_is_gone_does_not_fit(caplog, monkeypatch):
    monkeypatch.delitem(sys.modules, "chatsite.server.layer")
    monkeypatch.delattr("channels_redis.pubsub.RedisSingleShardConnection")
    assert falls_back(caplog)


# What channels-redis' own layer says in the log, where the site falls back to it


def record(problem):
    try:
        raise problem
    except BaseException:
        return logs.logging.getLogger("x").makeRecord("x", 40, "", 0, "Unexpected exception", (), sys.exc_info())


def test_the_plain_layer_says_nothing_while_redis_is_away():
    assert not logs.Sparing().filter(record(ConnectionRefusedError()))
    assert not logs.Sparing().filter(record(TimeoutError()))


def test_the_plain_layer_tells_a_fault_once():
    sparing = logs.Sparing()
    assert [sparing.filter(record(KeyError("x"))) for _ in range(3)] == [True, False, False]
    assert sparing.filter(record(ValueError("x")))
