"""The channel layer: channels-redis' pub/sub with a short way in and out, where a message costs many times less.

A publisher does not wait for Redis' answer. Nobody would do anything with that answer: what is published
may be lost on its way all the same, and a dead link shows in what is heard. A listener is called, without a queue
in between. Both are measured in docs/decisions.md. A subscriber does wait: Redis takes the commands of two connections
in any order, so what another process publishes later could come to it before the subscription.

All of this is made from parts that channels-redis and redis-py do not promise to keep: courier.py tries them before the
first use.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError
from redis.utils import str_if_bytes

from .hooks import hook
from .outages import REDIS_IS_AWAY, Faults

logger = logging.getLogger("chatsite.layer")
faults = Faults(logger)

AFTER_LOSS_S = 0.1
AFTER_TROUBLE_S = 1


class PubSubLayer(RedisPubSubChannelLayer):
    """`RedisPubSubChannelLayer` on `Shard`s."""

    @hook
    def _get_layer(self) -> RedisPubSubLoopLayer:
        layer = super()._get_layer()
        return layer if isinstance(layer._shards[0], Shard) else self.renew()

    def renew(self) -> RedisPubSubLoopLayer:
        """Go on with new connections, whoever may still wait for the old ones."""
        layer = RedisPubSubLoopLayer(*self._args, **self._kwargs, channel_layer=self)
        layer._shards = [Shard(shard.host, layer) for shard in layer._shards]
        self._layers[asyncio.get_running_loop()] = layer
        return layer

    def listen(self, channel: str, heard: Callable[[Any], None]) -> None:
        """Instead of `receive`: call `heard(message)` for every message to this channel, until the layer is flushed."""
        self._get_layer().channels[channel] = DirectQueue(lambda data: heard(self.deserialize(data)))


class DirectQueue:
    """In place of a channel's queue: what comes is heard at once."""

    def __init__(self, heard: Callable[[bytes], None]):
        self._heard = heard

    def put_nowait(self, data: bytes) -> None:
        try:
            self._heard(data)
        except Exception as problem:
            faults.tell("a message could not be taken", problem)


class Shard(RedisSingleShardConnection):
    """One Redis, with one more connection to it: for publishing, and told by CLIENT REPLY OFF never to answer.

    Where that is unknown or forbidden, publishing is as channels-redis does it. Nothing here has a time limit but
    connecting: who hears waits as long as it takes, and whoever calls bounds the rest. A Redis that takes nothing makes
    them wait as soon as the buffer is full.
    """

    _unanswered: AbstractConnection | None = None
    _may_go_unanswered = True
    _receive_task: asyncio.Task[None] | None

    @hook
    def __init__(self, host: dict[str, Any], channel_layer: RedisPubSubLoopLayer):
        super().__init__({**host, "socket_timeout": None}, channel_layer)
        self._unconfirmed: dict[str, asyncio.Event] = {}

    @hook
    async def subscribe(self, channel: str) -> None:
        """As channels-redis does it, and wait until Redis says that it did; what it refused is asked again."""
        async with self._lock:
            if channel not in self._subscribed_to or channel in self._unconfirmed:
                self._ensure_redis()
                self._ensure_receiver()
                self._unconfirmed.setdefault(channel, asyncio.Event())
                await self._pubsub.subscribe(channel)
                self._subscribed_to.add(channel)
            unconfirmed = self._unconfirmed.get(channel)
        if unconfirmed is not None:
            await unconfirmed.wait()

    @hook
    async def unsubscribe(self, channel: str) -> None:
        await super().unsubscribe(channel)
        self._wait_no_more_for(channel)

    def _wait_no_more_for(self, *channels: str) -> None:
        for channel in channels:
            if unconfirmed := self._unconfirmed.pop(channel, None):
                unconfirmed.set()

    @hook
    async def publish(self, channel: str, message: bytes) -> None:
        if self._may_go_unanswered:
            try:
                await self._publish_unanswered(channel, message)
            except ResponseError:
                self._may_go_unanswered = False
        if not self._may_go_unanswered:
            await super().publish(channel, message)

    async def _publish_unanswered(self, channel: str, message: bytes) -> None:
        async with self._lock:
            unanswered = self._unanswered or self._make_unanswered_connection()
            if unanswered._reader and unanswered._reader.at_eof():
                await unanswered.disconnect(nowait=True)
            command = unanswered.pack_command("PUBLISH", channel, message)
            try:
                await unanswered.send_packed_command(command, check_health=False)
            except ConnectionLost:  # a moment ago
                await unanswered.send_packed_command(command, check_health=False)

    def _make_unanswered_connection(self) -> AbstractConnection:
        """Not connected yet: sending does that, and the callback comes before anything is sent."""
        self._ensure_redis()
        self._unanswered = unanswered = self._redis.connection_pool.make_connection()
        unanswered.register_connect_callback(self._turn_replies_off)
        return unanswered

    async def _turn_replies_off(self, unanswered: AbstractConnection) -> None:
        """Of OFF and ON, ON alone is answered; anything else means that OFF is not obeyed."""
        for command in ("OFF", "ON"):
            await unanswered.send_command("CLIENT", "REPLY", command)
        await unanswered.read_response()
        await unanswered.send_command("CLIENT", "REPLY", "OFF")

    @hook
    async def _do_receiving(self) -> None:
        """As channels-redis does it, but waiting for what comes instead of looking ten times a second."""
        while True:
            try:
                await self._connect()
                while True:
                    self._receive_message(await self._next_message())
            except REDIS_IS_AWAY:  # the link tells of it: whoever loses a connection does not hear its own pings
                await asyncio.sleep(AFTER_LOSS_S)
            except Exception as problem:
                faults.tell("what was received could not be taken", problem)
                await asyncio.sleep(AFTER_TROUBLE_S)

    async def _connect(self) -> None:
        """And subscribe again. A subscriber may connect too, and both would read each other's answers."""
        async with self._lock:
            await self._pubsub.connect()

    async def _next_message(self) -> dict[str, Any]:
        response = await self._pubsub.connection.read_response(push_request=True)
        return await self._pubsub.handle_message(response)

    @hook
    def _receive_message(self, message: dict[str, Any]) -> None:
        if message["type"] == "message":
            super()._receive_message(message)
        elif message["type"] == "subscribe":
            self._wait_no_more_for(str_if_bytes(message["channel"]))

    @hook
    async def flush(self) -> None:
        """As channels-redis does it, but without waiting for the receiver: that wait swallows our own cancellation."""
        if self._receive_task is not None:
            self._receive_task.cancel()
            self._receive_task = None
        unanswered, self._unanswered = self._unanswered, None
        if unanswered is not None:
            await unanswered.disconnect(nowait=True)
        try:
            await super().flush()
        finally:
            self._wait_no_more_for(*self._unconfirmed)
