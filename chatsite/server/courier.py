"""Chooses the channel layer: ours, or channels-redis' own where the parts that ours is made from are not as expected.

Whether they are is found out before the first use, on a Redis in memory.
"""

import asyncio
import logging
import socket
from threading import Thread
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.asyncio.connection import Connection

from .hooks import is_fit

logger = logging.getLogger(__name__)

REHEARSAL_TIMEOUT_S = 5


def layer(**config: Any) -> Any:
    """The channel layer of this site, as CHANNEL_LAYERS asks for it."""
    try:
        from .layer import PubSubLayer, Shard

        fits = is_fit(Shard) and is_fit(PubSubLayer, rehearse)
    except Exception as problem:
        logger.warning("PubSubLayer is not used, it cannot be made: %r", problem)
        fits = False
    return PubSubLayer(**config) if fits else RedisPubSubChannelLayer(**config)


def rehearse(layer_class: type) -> None:
    """From subscribing to the flush, twice. In a thread of its own, because a loop may be running in this one."""
    problems: list[Exception] = []

    def run() -> None:
        try:
            asyncio.run(asyncio.wait_for(_play(layer_class), REHEARSAL_TIMEOUT_S))
        except Exception as problem:
            problems.append(problem)

    thread = Thread(target=run, name="rehearsal")
    thread.start()
    thread.join()
    for problem in problems:
        raise problem


async def _play(layer_class: type) -> None:
    redis = RedisInMemory()
    try:
        await _subscribe_and_publish(layer_class(hosts=[{"connection_class": redis.connection_class()}]))
        if redis.answered_publications:
            raise ValueError("Redis was asked to answer")
    finally:
        await redis.close()


async def _subscribe_and_publish(layer: Any) -> None:
    for number in range(2):
        heard: asyncio.Queue[Any] = asyncio.Queue()
        channel = await layer.new_channel()
        layer.listen(channel, heard.put_nowait)
        await layer.group_add("room", channel)
        await layer.group_send("room", {"number": number})
        if (message := await heard.get()) != {"number": number}:
            raise ValueError(f"{message!r} was heard")
        await layer.group_discard("room", channel)
        await layer.flush()
        layer.renew()


class RedisInMemory:
    """What the layer asks of a Redis: SUBSCRIBE, UNSUBSCRIBE, PUBLISH, CLIENT REPLY; anything else is OK."""

    def __init__(self) -> None:
        self.answered_publications = 0
        self._subscribers: dict[bytes, asyncio.StreamWriter] = {}
        self._serving: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    def connection_class(self) -> type[Connection]:
        """Of a client whose connections lead here."""
        redis = self

        class ConnectionInMemory(Connection):
            async def _connect(self) -> None:
                ours, theirs = socket.socketpair()
                self._reader, self._writer = await asyncio.open_connection(sock=ours)
                redis.serve(self._writer, *await asyncio.open_connection(sock=theirs))
                await self.on_connect()

        return ConnectionInMemory

    def serve(self, client: asyncio.StreamWriter, reader: asyncio.StreamReader, ours: asyncio.StreamWriter) -> None:
        self._writers += [client, ours]
        self._serving.append(asyncio.create_task(self._answer(reader, ours)))

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_unanswered = False
        while command := await _command(reader):
            reply = b"+OK\r\n"
            match command:
                case [b"SUBSCRIBE" | b"UNSUBSCRIBE" as verb, *channels]:
                    self._subscribers |= dict.fromkeys(channels, writer)
                    reply = b"".join(_array(verb.lower(), channel, 1) for channel in channels)
                case [b"PUBLISH", channel, message]:
                    self._subscribers[channel].write(_array(b"message", channel, message))
                    self.answered_publications += not is_unanswered
                case [b"CLIENT", b"REPLY", state]:
                    is_unanswered = state == b"OFF"
            if not is_unanswered:
                writer.write(reply)


async def _command(reader: asyncio.StreamReader) -> list[bytes]:
    """The next one; empty at the end."""
    parts = int((await reader.readline())[1:] or 0)
    return [(await reader.readexactly(int((await reader.readline())[1:]) + 2))[:-2] for _ in range(parts)]


def _array(*parts: bytes | int) -> bytes:
    items = [b":%d\r\n" % part if isinstance(part, int) else b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]
    return b"*%d\r\n%b" % (len(parts), b"".join(items))
