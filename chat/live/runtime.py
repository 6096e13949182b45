"""Builds the parts that a process has once, and wires them. Daphne has no start-up event: the first use starts them."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings

from accounts import access
from accounts.access import Person
from chat import database, limits
from chat.database import Together
from chat.messages import pages
from chat.messages.ledger import RoomChanges
from chat.messages.writes import Writes
from chat.wire.change import Change
from chat.wire.closes import Close
from chat.wire.events import Presence as PresenceEvent
from chat.wire.events import ReadMoved

from .hub import Hub
from .link import EVERYBODY, Link, Parcel
from .presence import Presence
from .rate_limits import Allowance
from .revocation import Revocation

if TYPE_CHECKING:
    from chat.sockets.participant import Conversation

logger = logging.getLogger("chat.runtime")


COME_BACK_S, COME_BACK_SPREAD_S, COME_BACK_PER_S = 0.1, 2.0, 400
ARRIVAL_PATIENCE_S = 8  # of the ten seconds that a drain may take


class Arrival:
    """Somebody between the accept and `add`: a drain waits for them."""

    under_way: ClassVar[set[Arrival]] = set()

    def __init__(self) -> None:
        self.accepted_at = time.time()

    def __enter__(self) -> Arrival:
        self.under_way.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.over()

    def over(self) -> None:
        self.under_way.discard(self)


class Runtime:
    """The link to the other processes, the hub, the log, presence, and everybody connected here."""

    def __init__(self) -> None:
        self.process = f"{os.environ.get('CHATSITE_PROCESS', 'web')}-{secrets.token_hex(2)}"
        self.conversations: dict[str, Conversation] = {}
        self._of_user: defaultdict[int, list[Conversation]] = defaultdict(list)
        self._newcomers: dict[Conversation, float] = {}
        self.is_draining = False
        self.writes = Writes(self._committed)
        self.link = Link(self.process, self._received)
        self.hub = Hub(pages, self.link.publish, self.link.add, self.link.discard)
        self.presence = Presence(
            self.process, self._publish_to_all, self._people_changed, self._replaced, self.link.is_alone
        )
        self.revocation = Revocation(lambda: list(self.conversations.values()))
        self.rooms_of = Together(database.readers, access.rooms_of)
        self.readings = Together(database.writer, access.mark_read)
        self._changes: dict[int, Allowance] = {}
        self._pages: dict[int, Allowance] = {}
        self._connections = 0
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.link.start()
        self.hub.start()
        self.presence.start()
        self.revocation.start()
        self._watch = asyncio.create_task(self._close_the_silent())

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await asyncio.gather(self.revocation.stop(), self.presence.stop(), self.hub.stop(), self.link.stop())

    async def drain(self) -> None:
        """Send everybody away, each to come back at a time of their own, and finish what is being written."""
        self.is_draining = True
        self.presence.drain()
        for conversation in list(self.conversations.values()):
            self._send_away(conversation)
        await self._all_arrived()
        await self.writes.drained()

    def _send_away(self, conversation: Conversation) -> None:
        everybody = len(self.conversations) + len(Arrival.under_way)
        spread_s = min(COME_BACK_SPREAD_S, everybody / COME_BACK_PER_S)
        conversation.bye(Close.RESTARTING, retry_after_s=COME_BACK_S + random.uniform(0, spread_s))

    async def _all_arrived(self) -> None:
        """Whoever was at the door already comes in, and is sent away by `add`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ARRIVAL_PATIENCE_S):
                while Arrival.under_way:  # noqa: ASYNC110 (once in the life of a process)
                    await asyncio.sleep(0.02)

    def add(self, conversation: Conversation, accepted_at: float) -> None:
        """Somebody is connected, or was: a slow process may open late what its client has given up long ago."""
        person = conversation.person
        self.conversations[conversation.id] = conversation
        self._of_user[person.user_id].append(conversation)
        self.revocation.admitted(conversation)
        self._newcomers[conversation] = accepted_at
        if not conversation.dialect.sends_heartbeats:
            self._wait_for_life(conversation)
        if self.is_draining:
            self._send_away(conversation)

    def heard_from(self, conversation: Conversation) -> None:
        """A newcomer lives: from now on it counts, as one of its name that is as new as its accept."""
        if (accepted_at := self._newcomers.pop(conversation, None)) is not None:
            person = conversation.person
            self.presence.opened(conversation.id, person.name, person.connections_limit, accepted_at)

    def _wait_for_life(self, conversation: Conversation) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(
            limits.QUIET_NEWCOMER_S, self._is_still_here, conversation, loop.time() + limits.QUIET_NEWCOMER_S
        )

    def _is_still_here(self, conversation: Conversation, due: float) -> None:
        """Not gone by now is life enough, unless this process stood still: the disconnect may be unread."""
        if conversation not in self._newcomers:
            return
        if asyncio.get_running_loop().time() - due > limits.QUIET_NEWCOMER_S / 2:
            self._wait_for_life(conversation)
        else:
            self.heard_from(conversation)

    def remove(self, conversation: Conversation) -> None:
        """Somebody is gone."""
        if self.conversations.pop(conversation.id, None) is not None:
            of_user = self._of_user[conversation.person.user_id]
            of_user.remove(conversation)
            if not of_user:
                del self._of_user[conversation.person.user_id]
                self._changes.pop(conversation.person.user_id, None)
                self._pages.pop(conversation.person.user_id, None)
            if self._newcomers.pop(conversation, None) is None:
                self.presence.closed(conversation.id)

    def changes_of(self, person: Person) -> Allowance:
        """What a name may edit, delete and react, shared out among the processes where it is connected."""
        rate = settings.CHAT_POSTS_PER_S / self.presence.spread(person.name)
        return self._changes.setdefault(person.user_id, Allowance(rate, limits.POSTS_BURST))

    def pages_of(self, person: Person) -> Allowance:
        """How many pages a name may ask for here."""
        return self._pages.setdefault(person.user_id, Allowance(limits.PAGES_PER_S, limits.PAGES_BURST))

    def next_connection_id(self) -> str:
        self._connections += 1
        return f"{self.process}-{self._connections}"

    def tell_name(self, user_id: int, event: ReadMoved, except_id: str) -> None:
        """Tell the other connections of a user, in every process."""
        self._publish_to_all("read", {"user": user_id, "room": event.room, "seq": event.seq})
        self._tell_here(user_id, event, except_id)

    # Wires

    def _committed(self, changed: list[RoomChanges]) -> None:
        for room_id, _, changes in changed:
            self.hub.committed(room_id, changes)

    def _publish_to_all(self, kind: str, parcel: Parcel) -> None:
        self.link.publish(EVERYBODY, kind, parcel)

    def _received(self, kind: str, parcel: dict[str, Any]) -> None:
        if kind == "changes":
            self.hub.arrived(parcel["room"], [Change(*values) for values in parcel["changes"]])
        elif kind == "presence.changes":
            self.presence.heard_changes(parcel["from"], parcel)
        elif kind == "presence.all":
            self.presence.heard_all(parcel["from"], parcel)
        elif kind == "presence.ask":
            self.presence.say_all()
        elif kind == "typing":
            self.hub.typing(parcel["room"], parcel["name"])
        elif kind == "read":
            self._tell_here(parcel["user"], ReadMoved(room=parcel["room"], seq=parcel["seq"]), "")

    def _people_changed(self, room_id: int, joined: list[str], left: list[str], count: int) -> None:
        if (room := self.hub.room(room_id)) is not None:
            is_big = count > limits.NAMES_SHOWN_LIMIT
            event = PresenceEvent(room=room.slug, count=count)
            if not is_big:
                event = PresenceEvent(room=room.slug, joined=joined, left=left, count=count)
            room.tell(event)

    def _replaced(self, connection_id: str) -> None:
        if (conversation := self.conversations.get(connection_id)) is not None:
            conversation.bye(Close.REPLACED)

    def _tell_here(self, user_id: int, event: ReadMoved, except_id: str) -> None:
        for conversation in list(self._of_user.get(user_id, ())):
            if conversation.id != except_id:
                conversation.tell(event)

    async def _close_the_silent(self) -> None:
        """A client that promised heartbeats and sends nothing is gone, whatever TCP says (promise G5)."""
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(1)
            if (stood_still_s := time.monotonic() - looked_at - 1) > 1:
                self._forgive(stood_still_s)
            looked_at = time.monotonic()
            deadline = looked_at - limits.HEARTBEAT_DEADLINE_S
            for conversation in list(self.conversations.values()):
                if conversation.heard_at < deadline and conversation.dialect.sends_heartbeats:
                    conversation.bye(Close.HEARTBEAT_MISSED)

    def _forgive(self, stood_still_s: float) -> None:
        """This process was not running: what the clients sent meanwhile is still to be read."""
        for conversation in self.conversations.values():
            conversation.heard_at += stood_still_s


_running: dict[asyncio.AbstractEventLoop, asyncio.Future[Runtime]] = {}


async def running() -> Runtime:
    """The runtime of this process, started by whoever comes first."""
    loop = asyncio.get_running_loop()
    if loop not in _running:
        _running[loop] = asyncio.ensure_future(_start())
    started = _running[loop]
    return started.result() if started.done() else await asyncio.shield(started)


async def drain() -> None:
    """For the server, before it stops."""
    started = _running.get(asyncio.get_running_loop())
    if started is not None:
        await (await started).drain()


async def stop() -> None:
    """For tests: stop the runtime of this loop."""
    started = _running.pop(asyncio.get_running_loop(), None)
    if started is not None:
        await (await started).stop()


async def _start() -> Runtime:
    runtime = Runtime()
    await runtime.start()
    return runtime
