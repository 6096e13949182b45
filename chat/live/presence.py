"""Who is where, across processes: without a row per connection and without a counter that drifts.

Each process says what it has: at once when it changes, and in full every few seconds. What it said expires when it
falls silent. A name that lost its last connection stays for a moment, so that a reload or a restart is no departure.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from accounts import names
from chat import limits

Word = dict[str, Any]


class Connection(NamedTuple):
    """One open connection of a name that has shown that it lives. The newest `limit` of a name may stay."""

    id: str
    name: str
    opened_at: float
    limit: int


class Crowd:
    """What one process has: its connections, and its names in each room."""

    def __init__(self) -> None:
        self.connections: dict[str, Connection] = {}
        self.rooms: defaultdict[int, dict[str, int]] = defaultdict(dict)
        self.number = 0
        self.heard_at = time.monotonic()
        self.is_draining = False


class Presence:
    """Keeps the crowds of all processes and tells the rooms here who came and who left.

    `publish(kind, word)` reaches the other processes; `changed(room_id, joined, left, count)` the rooms here;
    `replaced(connection_id)` closes a connection here that newer ones of its name have outnumbered. While the process
    `is_alone()`, nothing is repeated.
    """

    def __init__(
        self,
        process: str,
        publish: Callable[[str, Word], None],
        changed: Callable[[int, list[str], list[str], int], None],
        replaced: Callable[[str], None],
        is_alone: Callable[[], bool] = lambda: False,
    ):
        self._publish = publish
        self._changed = changed
        self._replaced = replaced
        self._is_alone = is_alone
        self._own = Crowd()
        self._process = process
        self._crowds: dict[str, Crowd] = {process: self._own}
        self._places: defaultdict[int, dict[str, tuple[str, ...]]] = defaultdict(dict)
        self._going: dict[tuple[int, str], float] = {}
        self._of_name: defaultdict[str, dict[str, Connection]] = defaultdict(dict)
        self._unsaid: list[list[Any]] = []
        self._untold: dict[int, dict[str, bool]] = {}
        self._saying: asyncio.TimerHandle | None = None
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
        self.say_all()

    # What happens here

    def opened(self, id: str, name: str, limit: int, opened_at: float) -> None:
        self._note_opened(self._own, Connection(id, name, opened_at, limit))
        self._say("opened", *self._own.connections[id])

    def closed(self, id: str) -> None:
        self._note_closed(self._own, id)
        self._say("closed", id)

    def entered(self, room_id: int, name: str) -> None:
        """One more connection of the name is in the room here."""
        here = self._own.rooms[room_id]
        here[name] = here.get(name, 0) + 1
        if here[name] == 1:
            self._note_entered(self._process, room_id, name)
            self._say("entered", room_id, name)

    def left(self, room_id: int, name: str, on_purpose: bool) -> None:
        """One connection less. On purpose: without the moment of grace."""
        here = self._own.rooms[room_id]
        here[name] -= 1
        if here[name] == 0:
            del here[name]
            if not here:
                del self._own.rooms[room_id]
            self._note_left(self._process, room_id, name, 0 if on_purpose else self._grace_s(self._own))
            self._say("left", room_id, name, on_purpose)

    def online(self, room_id: int) -> list[str]:
        """The names in the room, in every process."""
        return sorted(self._places[room_id]) if room_id in self._places else []

    def count(self, room_id: int) -> int:
        return len(self._places[room_id]) if room_id in self._places else 0

    def process_count(self, name: str) -> int:
        """In how many processes the name is connected, this one included."""
        key = names.key(name)
        ids = self._of_name.get(key, ())
        return sum(1 for crowd in self._crowds.values() if any(id in crowd.connections for id in ids)) or 1

    # What this process says

    def _say(self, *what: Any) -> None:
        self._unsaid.append(list(what))
        if self._saying is None:
            self._saying = asyncio.get_running_loop().call_later(0.05, self._say_changes)

    def _say_changes(self) -> None:
        self._saying = None
        changes, self._unsaid = self._unsaid, []
        self._own.number += 1
        self._publish("presence.changes", {"number": self._own.number, "changes": changes})

    def say_all(self) -> None:
        """The full word."""
        if self._saying is not None:
            self._saying.cancel()
            self._saying = None
        self._unsaid = []
        self._own.number += 1
        now = time.monotonic()
        word = {
            "number": self._own.number,
            "connections": [list(connection) for connection in self._own.connections.values()],
            "rooms": [[room_id, list(names)] for room_id, names in self._own.rooms.items()],
            "draining": self._own.is_draining,
            "going": [[*place, until - now] for place, until in self._going.items() if until > now],
        }
        self._publish("presence.all", word)

    # What the others say

    def heard_all(self, process: str, word: Word) -> None:
        is_new = process not in self._crowds
        crowd = self._crowds.setdefault(process, Crowd())
        crowd.number, crowd.heard_at, crowd.is_draining = word["number"], time.monotonic(), word["draining"]
        self._replace_connections(crowd, [Connection(*values) for values in word["connections"]])
        self._replace_rooms(process, crowd, {room_id: set(names) for room_id, names in word["rooms"]})
        for room_id, name, left_s in word["going"] if is_new else ():
            self._note_going(room_id, name, left_s)

    def heard_changes(self, process: str, word: Word) -> None:
        crowd = self._crowds.get(process)
        if crowd is None or word["number"] != crowd.number + 1:
            self._publish("presence.ask", {})
            return
        crowd.number, crowd.heard_at = word["number"], time.monotonic()
        for what, *values in word["changes"]:
            self._heard_change(process, crowd, what, values)

    def _heard_change(self, process: str, crowd: Crowd, what: str, values: list[Any]) -> None:
        if what == "opened":
            self._note_opened(crowd, Connection(*values))
        elif what == "closed":
            self._note_closed(crowd, values[0])
        elif what == "entered":
            crowd.rooms[values[0]][values[1]] = 1
            self._note_entered(process, *values)
        elif what == "left":
            room_id, name, on_purpose = values
            crowd.rooms[room_id].pop(name, None)
            self._note_left(process, room_id, name, 0 if on_purpose else self._grace_s(crowd))

    def _replace_connections(self, crowd: Crowd, said: list[Connection]) -> None:
        for id in set(crowd.connections) - {connection.id for connection in said}:
            self._note_closed(crowd, id)
        for connection in said:
            if connection.id not in crowd.connections:
                self._note_opened(crowd, connection)

    def _replace_rooms(self, process: str, crowd: Crowd, said: dict[int, set[str]]) -> None:
        for room_id in set(crowd.rooms) | set(said):
            had, has = set(crowd.rooms.get(room_id, ())), said.get(room_id, set())
            for name in had - has:
                self._note_left(process, room_id, name, self._grace_s(crowd))
            for name in has - had:
                self._note_entered(process, room_id, name)
        crowd.rooms = defaultdict(dict, {room_id: dict.fromkeys(names, 1) for room_id, names in said.items()})

    # What is known of all

    def _note_opened(self, crowd: Crowd, connection: Connection) -> None:
        crowd.connections[connection.id] = connection
        of_name = self._of_name[names.key(connection.name)]
        of_name[connection.id] = connection
        surplus = len(of_name) - connection.limit
        if surplus > 0:
            oldest = sorted(of_name.values(), key=lambda one: (one.opened_at, one.id))[:surplus]
            for one in oldest:
                if one.id in self._own.connections:
                    self._replaced(one.id)

    def _note_closed(self, crowd: Crowd, id: str) -> None:
        if (connection := crowd.connections.pop(id, None)) is not None:
            key = names.key(connection.name)
            self._of_name[key].pop(id, None)
            if not self._of_name[key]:
                del self._of_name[key]

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
        """Another process saw the name leave, and gives it a moment still: whoever did not see it does too."""
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

    def _grace_s(self, crowd: Crowd) -> float:
        return limits.GRACE_WHILE_DRAINING_S if crowd.is_draining else limits.GRACE_S

    # Telling the rooms here

    def _tell(self, room_id: int, name: str, is_here: bool) -> None:
        if room_id not in self._untold:
            self._untold[room_id] = {}
            asyncio.get_running_loop().call_later(self._coalesced_s(room_id), self._tell_room, room_id)
        self._untold[room_id][name] = is_here  # also what was so before: who came in between does not know it

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
            if now - said_at >= limits.WORD_INTERVAL_S and not self._is_alone():
                said_at = now
                self.say_all()
            self._forget_silent(now)
            for (room_id, name), until in list(self._going.items()):
                if now >= until:
                    self._gone(room_id, name)

    def _forget_silent(self, now: float) -> None:
        for process, crowd in list(self._crowds.items()):
            if crowd is not self._own and now - crowd.heard_at > limits.WORD_LIFETIME_S:
                self._replace_connections(crowd, [])
                self._replace_rooms(process, crowd, {})
                del self._crowds[process]
