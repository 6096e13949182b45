"""Builds the parts that a process has once, and wires them: connections, writes, hub, link, presence, revocation."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from accounts.identity import Person
from chat import database, limits
from chat.database import Batched
from chat.messages import pages
from chat.messages.entries import RoomChanges
from chat.messages.writes import Writes
from chat.rooms import reading, visible
from chat.rooms.visible import RoomView
from chat.wire.change import Change
from chat.wire.closes import Close
from chat.wire.events import Presence as PresenceEvent
from chat.wire.events import ReadMoved

from .allowances import Allowances
from .arrivals import Newcomers, all_arrived
from .connections import Connected, Connections
from .drain import Drain
from .housekeeping import Housekeeping
from .hub import Hub
from .link import EVERYBODY, Link, Parcel
from .presence import Presence
from .read_positions import Position, ReadPositions
from .revocation import Revocation
from .silence import Silence


class Runtime:
    """The parts of this process, and what passes between them."""

    def __init__(self) -> None:
        self.process = f"{os.environ.get('CHATSITE_PROCESS', 'web')}-{secrets.token_hex(2)}"
        self.connections = Connections(self.process)
        self.writes = Writes(self._committed)
        self.link = Link(self.process, self._received)
        self.hub = Hub(pages, self.link.publish, self.link.add, self.link.discard)
        self.presence = Presence(
            self.process, self._publish_to_all, self._people_changed, self._replace, self.hub.is_looked_at
        )
        self.newcomers = Newcomers(self._count)
        self.allowances = Allowances(self.presence.process_count)
        self.revocation = Revocation(self.connections)
        self.silence = Silence(self.connections)
        self.housekeeping = Housekeeping(self.connections)
        self.going = Drain(self.connections)
        self.positions = ReadPositions(_keep_positions, self._publish_positions)
        self._own_rooms = Batched(database.readers, visible.own_rooms)
        self._handlers = self._handlers_by_kind()

    async def start(self) -> None:
        await self.link.start()
        for part in (self.hub, self.presence, self.revocation, self.silence, self.housekeeping, self.positions):
            part.start()

    async def stop(self) -> None:
        parts = (self.positions, self.housekeeping, self.silence, self.revocation, self.presence, self.hub, self.link)
        await asyncio.gather(*(part.stop() for part in parts))

    async def drain(self) -> None:
        """Send everybody away, and finish what is being written."""
        self.presence.drain()
        self.going.begin()
        await all_arrived()
        await self.writes.drained()
        await self.positions.written()
        await self.housekeeping.renew_mark()

    # The life of a connection

    def add(self, connected: Connected, accepted_at: float) -> None:
        self.connections.add(connected)
        self.revocation.admitted(connected)
        self.newcomers.add(connected, accepted_at)
        if self.going.has_begun:
            self.going.send_away(connected)

    def remove(self, connected: Connected) -> None:
        if self.connections.remove(connected):
            if not self.connections.of_user(connected.person.user_id):
                self.allowances.forget(connected.person.user_id)
                self.positions.gone(connected.person.user_id)
            if not self.newcomers.discard(connected):
                self.presence.closed(connected.id)

    def _count(self, connected: Connected, accepted_at: float) -> None:
        """From its first sign of life on, a connection is one of its name."""
        person = connected.person
        self.presence.opened(connected.id, person.name, person.connections_limit, accepted_at)

    def _replace(self, id: str) -> None:
        if (connected := self.connections.get(id)) is not None:
            connected.bye(Close.REPLACED)

    # What passes between the parts, and between processes

    async def own_rooms(self, person: Person) -> list[RoomView]:
        """The person's rooms, with how far they have read by now, written or not.

        Who reads an open room for the first time has no place in it before that is written.
        """
        if self.positions.is_unwritten(person.user_id):
            await self.positions.written()
        views = await self._own_rooms.ask(person.user_id)
        read = self.positions.of_user(person.user_id)
        if read.keys() - {view.id for view in views}:
            await self.positions.heard_ones_written()
            views = await self._own_rooms.ask(person.user_id)
        return [view._replace(read=max(view.read, read.get(view.id, 0))) for view in views] if read else views

    def has_read(self, reader: Connected, position: Position) -> None:
        """Keep how far somebody has read, and tell their other connections."""
        if self.positions.move(position):
            event = ReadMoved(room=position.room, read=position.ordinal)
            self.connections.read_moved(position.user_id, event, except_id=reader.id)

    def _publish_positions(self, positions: list[Position]) -> None:
        self._publish_to_all("read", {"positions": [tuple(position) for position in positions]})

    def _read_elsewhere(self, parcel: Parcel) -> None:
        """Two devices may read at the same moment, each in its process: nobody is told to go back."""
        for position in self.positions.heard(Position(*values) for values in parcel["positions"]):
            self.connections.read_moved(position.user_id, ReadMoved(room=position.room, read=position.ordinal))

    def _committed(self, changed: list[RoomChanges]) -> None:
        for room_id, _, changes in changed:
            self.hub.committed(room_id, changes)

    def _changes_arrived(self, parcel: Parcel) -> None:
        self.hub.arrived(parcel["room"], [Change(*values) for values in parcel["changes"]])

    def _publish_to_all(self, kind: str, parcel: Parcel) -> None:
        self.link.publish(EVERYBODY, kind, parcel)

    def _handlers_by_kind(self) -> dict[str, Callable[[Parcel], None]]:
        """What is done with a parcel of another process."""
        return {
            "changes": self._changes_arrived,
            "presence.changes": lambda parcel: self.presence.heard_changes(parcel["from"], parcel),
            "presence.number": lambda parcel: self.presence.heard_number(parcel["from"], parcel["number"]),
            "presence.snapshot": lambda parcel: self.presence.apply_snapshot(parcel["from"], parcel),
            "presence.ask": self.presence.asked,
            "typing": lambda parcel: self.hub.typing(parcel["room"], parcel["name"], parcel["on"]),
            "read": self._read_elsewhere,
        }

    def _received(self, kind: str, parcel: dict[str, Any]) -> None:
        if (handler := self._handlers.get(kind)) is not None:
            handler(parcel)

    def _people_changed(self, room_id: int, joined: list[str], left: list[str], count: int) -> None:
        if (room := self.hub.room(room_id)) is None:
            return
        if count > limits.NAMES_SHOWN_LIMIT:
            joined, left = [], []
        room.tell_those_who_look(PresenceEvent(room=room.slug, joined=joined, left=left, count=count))


async def _keep_positions(ordinals: Mapping[reading.Place, int]) -> None:
    await database.writer.run(reading.keep, ordinals)


_running: dict[asyncio.AbstractEventLoop, asyncio.Future[Runtime]] = {}


async def running() -> Runtime:
    """The runtime of this process, started by its first caller."""
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
