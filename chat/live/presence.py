"""Who is here, across processes: without a row per connection and without a counter that drifts.

Presence is of a person: each process says which people it has, and in which rooms they have a place. It says changes
at once, numbered, and its number every few seconds; a process that missed a number asks for a snapshot. What a process
said expires when it falls silent. A name that lost its last connection stays for a moment, so that a reload or a
restart is no departure.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from chat import limits

from .crowd import Connection, Crowd, Surplus

Parcel = dict[str, Any]

CHANGES_COALESCED_S = 0.05


class Presence:
    """Keeps the crowds of all processes, and tells those who look at a room here who came and who left.

    `publish(kind, parcel)` reaches the other processes; `changed(room_id, joined, left, count)` the rooms here that
    somebody `looks_at`; `replaced(connection_id)` closes a connection here that newer ones of
    its name have outnumbered.
    """

    def __init__(
        self,
        process: str,
        publish: Callable[[str, Parcel], None],
        changed: Callable[[int, list[str], list[str], int], None],
        replaced: Callable[[str], None],
        looks_at: Callable[[int], bool] = lambda room_id: True,
    ):
        self._publish = publish
        self._changed = changed
        self._looks_at = looks_at
        self._process = process
        self._own = Crowd()
        self._crowds: dict[str, Crowd] = {process: self._own}
        self._surplus = Surplus(lambda id: replaced(id) if id in self._own.connections else None)
        self._places: defaultdict[int, dict[str, tuple[str, ...]]] = defaultdict(dict)
        self._going: dict[tuple[int, str], float] = {}
        self._unpublished: list[list[Any]] = []
        self._untold: dict[int, dict[str, bool]] = {}
        self._publishing: asyncio.TimerHandle | None = None
        self._clock: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._publish("presence.ask", {})
        self._clock = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)

    def drain(self) -> None:
        """This process is going: its names are given more time to come back elsewhere."""
        self._own.is_draining = True
        self.publish_snapshot()

    # What happens here

    def opened(self, id: str, name: str, limit: int, opened_at: float) -> None:
        self._note_opened(self._own, Connection(id, name, opened_at, limit))
        self._say("opened", *self._own.connections[id])

    def closed(self, id: str) -> None:
        self._note_closed(self._own, id)
        self._say("closed", id)

    def entered(self, room_id: int, name: str) -> None:
        """One more connection of the name is in the room here."""
        if self._own.enter(name, room_id):
            self._note_entered(self._process, room_id, name)
            self._say("entered", room_id, name)

    def left(self, room_id: int, name: str, on_purpose: bool) -> None:
        """One connection less. On purpose: without the moment of grace."""
        if self._own.leave(name, room_id):
            self._note_left(self._process, room_id, name, 0 if on_purpose else self._own.grace_s)
            self._say("left", room_id, name, on_purpose)

    def online(self, room_id: int) -> list[str]:
        """The names in the room, in every process."""
        return sorted(self._places[room_id]) if room_id in self._places else []

    def count(self, room_id: int) -> int:
        return len(self._places[room_id]) if room_id in self._places else 0

    def process_count(self, name: str) -> int:
        """In how many processes the name is connected, this one included."""
        ids = self._surplus.ids_of(name)
        return sum(1 for crowd in self._crowds.values() if any(id in crowd.connections for id in ids)) or 1

    # What this process says

    def _say(self, *what: Any) -> None:
        self._unpublished.append(list(what))
        if self._publishing is None:
            self._publishing = asyncio.get_running_loop().call_later(CHANGES_COALESCED_S, self._publish_changes)

    def _publish_changes(self) -> None:
        self._publishing = None
        changes, self._unpublished = self._unpublished, []
        self._own.number += 1
        self._publish("presence.changes", {"number": self._own.number, "changes": changes})

    def asked(self, parcel: Parcel) -> None:
        """A process wants a snapshot: of everybody, or of the process that it names."""
        if parcel.get("of", self._process) == self._process:
            self.publish_snapshot()

    def publish_snapshot(self) -> None:
        """Everything that this process has."""
        if self._publishing is not None:
            self._publishing.cancel()
            self._publishing = None
        self._unpublished = []
        self._own.number += 1
        now = time.monotonic()
        going = [[*place, until - now] for place, until in self._going.items() if until > now]
        self._publish("presence.snapshot", {**self._own.snapshot(), "going": going})

    # What the others say

    def apply_snapshot(self, process: str, snapshot: Parcel) -> None:
        is_new = process not in self._crowds
        crowd = self._crowds.setdefault(process, Crowd())
        crowd.number, crowd.heard_at, crowd.is_draining = snapshot["number"], time.monotonic(), snapshot["draining"]
        self._replace_connections(crowd, [Connection(*values) for values in snapshot["connections"]])
        self._replace_places(process, crowd, {name: set(room_ids) for name, room_ids in snapshot["places"]})
        if crowd.is_draining:  # it may be gone before it says who left: they are on their way from now on
            self._replace_places(process, crowd, {})
        for room_id, name, left_s in snapshot["going"] if is_new else ():
            self._note_going(room_id, name, left_s)

    def heard_number(self, process: str, number: int) -> None:
        """A process is alive, and has said so many things."""
        crowd = self._crowds.get(process)
        if crowd is None or crowd.number != number:
            self._publish("presence.ask", {"of": process})
        else:
            crowd.heard_at = time.monotonic()

    def heard_changes(self, process: str, parcel: Parcel) -> None:
        crowd = self._crowds.get(process)
        if crowd is None or parcel["number"] != crowd.number + 1:
            self._publish("presence.ask", {"of": process})
            return
        crowd.number, crowd.heard_at = parcel["number"], time.monotonic()
        for what, *values in parcel["changes"]:
            self._heard_change(process, crowd, what, values)

    def _heard_change(self, process: str, crowd: Crowd, what: str, values: list[Any]) -> None:
        if what == "opened":
            self._note_opened(crowd, Connection(*values))
        elif what == "closed":
            self._note_closed(crowd, values[0])
        elif what == "entered":
            room_id, name = values
            crowd.places[name][room_id] = 1
            self._note_entered(process, room_id, name)
        elif what == "left":
            room_id, name, on_purpose = values
            crowd.forget(name, room_id)
            self._note_left(process, room_id, name, 0 if on_purpose else crowd.grace_s)

    def _replace_connections(self, crowd: Crowd, said: list[Connection]) -> None:
        for id in set(crowd.connections) - {connection.id for connection in said}:
            self._note_closed(crowd, id)
        for connection in said:
            if connection.id not in crowd.connections:
                self._note_opened(crowd, connection)

    def _replace_places(self, process: str, crowd: Crowd, said: dict[str, set[int]]) -> None:
        for name in set(crowd.places) | set(said):
            had, has = set(crowd.places.get(name, ())), said.get(name, set())
            for room_id in had - has:
                crowd.forget(name, room_id)
                self._note_left(process, room_id, name, crowd.grace_s)
            for room_id in has - had:
                crowd.places[name][room_id] = 1
                self._note_entered(process, room_id, name)

    # What is known of all

    def _note_opened(self, crowd: Crowd, connection: Connection) -> None:
        crowd.connections[connection.id] = connection
        self._surplus.opened(connection)

    def _note_closed(self, crowd: Crowd, id: str) -> None:
        if (connection := crowd.connections.pop(id, None)) is not None:
            self._surplus.closed(connection)

    def _note_entered(self, process: str, room_id: int, name: str) -> None:
        self._going.pop((room_id, name), None)
        places = self._places[room_id]
        if name not in places:
            self._tell(room_id, name, is_here=True)
        places[name] = tuple({*places.get(name, ()), process})

    def _note_left(self, process: str, room_id: int, name: str, grace_s: float) -> None:
        places = self._places.get(room_id, {})
        if name not in places:
            return
        places[name] = tuple(place for place in places[name] if place != process)
        if not places[name] and grace_s:
            self._going[room_id, name] = time.monotonic() + grace_s
        elif not places[name]:
            self._gone(room_id, name)

    def _note_going(self, room_id: int, name: str, left_s: float) -> None:
        """Another process saw the name leave, and gives it a moment still: so does a process that did not see it."""
        places = self._places[room_id]
        if name not in places:
            places[name] = ()
            self._going[room_id, name] = time.monotonic() + left_s
            self._tell(room_id, name, is_here=True)

    def _gone(self, room_id: int, name: str) -> None:
        self._going.pop((room_id, name), None)
        self._places[room_id].pop(name, None)
        self._tell(room_id, name, is_here=False)
        if not self._places[room_id]:
            del self._places[room_id]

    # Telling those who look

    def _tell(self, room_id: int, name: str, is_here: bool) -> None:
        if not self._looks_at(room_id):
            return
        if room_id not in self._untold:
            self._untold[room_id] = {}
            asyncio.get_running_loop().call_later(self._coalesced_s(room_id), self._tell_room, room_id)
        self._untold[room_id][name] = is_here  # also what was so before: a client that came in between does not know it

    def _coalesced_s(self, room_id: int) -> float:
        """A crowd is told as a number, and a number need not be told so often."""
        is_crowd = self.count(room_id) > limits.NAMES_SHOWN_LIMIT
        return limits.CROWD_COALESCED_S if is_crowd else limits.PRESENCE_COALESCED_S

    def _tell_room(self, room_id: int) -> None:
        if untold := self._untold.pop(room_id):
            joined = sorted(name for name, is_here in untold.items() if is_here)
            left = sorted(name for name, is_here in untold.items() if not is_here)
            self._changed(room_id, joined, left, self.count(room_id))

    # The clock

    async def _tick(self) -> None:
        said_at = time.monotonic()
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            if now - said_at >= limits.ALIVE_INTERVAL_S:
                said_at = now
                self._publish("presence.number", {"number": self._own.number})
            self._forget_silent(now)
            for (room_id, name), until in list(self._going.items()):
                if now >= until:
                    self._gone(room_id, name)

    def _forget_silent(self, now: float) -> None:
        for process, crowd in list(self._crowds.items()):
            if crowd is not self._own and now - crowd.heard_at > limits.ALIVE_LIFETIME_S:
                self._replace_connections(crowd, [])
                self._replace_places(process, crowd, {})
                del self._crowds[process]
