"""This process's end of the channel layer, and its only owner: one channel, its groups, and a watch on the link.

Redis is a courier, not a memory: what is published may be lost, late or doubled, and nothing here waits for it.
The pub/sub layer loses its connection without a word, so the process pings itself through Redis; after a silence it
drops the layer's connections and subscribes afresh. Everybody hears these pings: who hears no other process keeps the
parcels of rooms.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import get_channel_layer

from chat import limits
from chatsite.server.outages import REDIS_IS_AWAY, Faults, forever, spawn

logger = logging.getLogger("chat.link")
faults = Faults(logger)

EVERYBODY = "everybody"

Parcel = dict[str, Any]


class Link:
    """Publishes parcels to groups of processes, and hands over those that come from the others.

    A parcel is a dict of what msgpack carries; `receive(kind, parcel)` is called for each one.
    """

    def __init__(self, process: str, receive: Callable[[str, Parcel], None]):
        self._process = process
        self._receive = receive
        self._groups: set[str] = set()
        self._unsettled: set[str] = set()
        self._queue: deque[tuple[str, Parcel]] = deque(maxlen=limits.PUBLISH_QUEUE_LIMIT)
        self._queued = asyncio.Event()
        self._heard_at = time.monotonic()
        self._is_alone_from = self._heard_at + limits.PUBLISH_TIMEOUT_S  # others have answered by then
        self._is_up, self._is_told_down = True, False
        self._layer = get_channel_layer()
        self._channel = ""
        self._catching_up: asyncio.Task[None] | None = None
        self._receiver: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Subscribe, or go on trying; the chat works meanwhile, through the database."""
        self._groups.add(EVERYBODY)
        await self._subscribe()
        self._tasks = [
            asyncio.create_task(forever(self._publish, faults, "what was queued could not be published")),
            asyncio.create_task(forever(self._watch, faults, "the link could not be watched")),
        ]

    async def stop(self) -> None:
        tasks = [task for task in (*self._tasks, self._receiver, self._catching_up) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if flush := getattr(self._layer, "flush", None):
            await self._try(flush(), "close")

    async def add(self, group: str) -> None:
        """Hear what is published to the group from now on. While the link is down nobody waits: it follows later."""
        self._groups.add(group)
        await self._changed(group)

    async def discard(self, group: str) -> None:
        self._groups.discard(group)
        await self._changed(group)

    def publish(self, group: str, kind: str, parcel: Parcel) -> None:
        """Send to every other process in the group, if there is any; the oldest parcels give way.

        A process pings as soon as it starts. What it does not hear of a room before that ping, it finds by comparing
        heads; what is for everybody it would not find, so that is always sent.
        """
        if group == EVERYBODY or not self.is_alone():
            self._enqueue(group, kind, parcel)

    def is_alone(self) -> bool:
        """Measured by what was heard last: a silent link makes nobody alone."""
        return self._heard_at > self._is_alone_from

    def _enqueue(self, group: str, kind: str, parcel: Parcel) -> None:
        self._queue.append((group, {"type": "parcel", "kind": kind, "from": self._process, **parcel}))
        self._queued.set()

    async def _publish(self) -> None:
        await self._queued.wait()
        while self._queue:
            group, parcel = self._queue.popleft()
            await self._try(self._layer.group_send(group, parcel), "publish")
        self._queued.clear()

    async def _watch(self) -> None:
        self._enqueue(EVERYBODY, "ping", {})
        await asyncio.sleep(limits.PING_INTERVAL_S)
        if (silent_s := time.monotonic() - self._heard_at) > limits.PING_DEADLINE_S:
            self._note_down(f"nothing was heard for {silent_s:.0f} s")
            await self._drop()
            await self._subscribe()

    async def _changed(self, group: str) -> None:
        if self._is_up:
            await self._settle(group)
        else:
            self._unsettled.add(group)

    async def _settle(self, group: str) -> bool:
        """Have the layer do what is wanted now: hear this group or not."""
        self._unsettled.discard(group)
        change = self._layer.group_add if group in self._groups else self._layer.group_discard
        if not (is_settled := await self._try(change(group, self._channel), "join or leave a group")):
            self._unsettled.add(group)
        return is_settled

    async def _settle_all(self) -> None:
        """What was wanted while the link was down: the pings first, then so many groups that one wait is enough."""
        groups = sorted(self._unsettled, key=lambda group: group != EVERYBODY)
        for start in range(0, len(groups), limits.GROUPS_TOGETHER):
            portion = groups[start : start + limits.GROUPS_TOGETHER]
            if not all(await asyncio.gather(*map(self._settle, portion))):
                break

    async def _drop(self) -> None:
        """The layer's connections, which may be dead without knowing, and whatever still waits for them."""
        if self._receiver is not None:
            self._receiver.cancel()
            await self._try(asyncio.wait([self._receiver]), "stop receiving")
            self._receiver = None
        await self._try(self._layer.flush(), "close")
        if hasattr(self._layer, "renew"):
            self._layer.renew()

    async def _subscribe(self) -> None:
        """Open a channel, and subscribe it to everything."""
        if await self._try(self._open(), "open a channel"):
            self._listen()
            self._unsettled = set(self._groups)
            await self._settle_all()

    async def _open(self) -> None:
        self._channel = await self._layer.new_channel()

    def _listen(self) -> None:
        """Where the layer calls whoever hears, it needs no task."""
        if hasattr(self._layer, "listen"):
            self._layer.listen(self._channel, self._hear)
        else:
            receive = forever(self._receive_one, faults, "nothing could be received")
            self._receiver = asyncio.create_task(receive)

    async def _receive_one(self) -> None:
        self._hear(await self._layer.receive(self._channel))

    def _hear(self, parcel: Parcel) -> None:
        """One's own ping has gone all the way; what others say leaves open whether they hear us."""
        self._heard_at = time.monotonic()
        if parcel["from"] == self._process:
            self._note_back()
        else:
            self._is_alone_from = self._heard_at + limits.ALONE_AFTER_S
            self._hand_over(parcel)

    def _hand_over(self, parcel: Parcel) -> None:
        try:
            self._receive(parcel["kind"], parcel)
        except Exception as problem:
            faults.tell(f"a parcel of kind {parcel['kind']} could not be taken", problem)

    def _note_down(self, reason: str) -> None:
        self._is_up = False
        if not self._is_told_down:
            self._is_told_down = True
            logger.warning("the channel layer is silent; going on through the database (%s)", reason)

    def _note_back(self) -> None:
        if not self._is_up:
            self._is_up = True
            self._catching_up = spawn(self._catch_up(), faults, "what was wanted meanwhile could not be settled")

    async def _catch_up(self) -> None:
        """It is back when what was wanted meanwhile is done too; what Redis refuses ends no outage."""
        await self._settle_all()
        if self._is_up:
            self._is_told_down = False
            logger.warning("the channel layer is back")

    async def _try(self, work: Awaitable[Any], what: str) -> bool:
        """Do it within a bounded time; a courier that fails is no reason to stop."""
        try:
            async with asyncio.timeout(limits.PUBLISH_TIMEOUT_S):
                await work
                return True
        except REDIS_IS_AWAY as problem:
            self._note_down(f"could not {what}: {problem or type(problem).__name__}")
        except Exception as problem:
            faults.tell(f"could not {what}", problem)
            self._note_down(f"could not {what}: {type(problem).__name__}")
        return False
