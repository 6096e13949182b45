"""What one process has: its connections, and the rooms in which its people have a place. No I/O."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from accounts import names
from chat import limits


class Connection(NamedTuple):
    """One open connection of a name that has shown that it lives. The newest `limit` of a name may stay."""

    id: str
    name: str
    opened_at: float
    limit: int


class Crowd:
    """The connections of one process by id; and, for each name, its rooms with how many of its connections are there.

    `number` counts what the process has said.
    """

    def __init__(self) -> None:
        self.connections: dict[str, Connection] = {}
        self.places: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self.number = 0
        self.heard_at = time.monotonic()
        self.is_draining = False

    @property
    def grace_s(self) -> float:
        """How long a name may be away."""
        return limits.GRACE_WHILE_DRAINING_S if self.is_draining else limits.GRACE_S

    def enter(self, name: str, room_id: int) -> bool:
        """One more connection of the name is in the room; say whether it is the first."""
        rooms = self.places[name]
        rooms[room_id] = rooms.get(room_id, 0) + 1
        return rooms[room_id] == 1

    def leave(self, name: str, room_id: int) -> bool:
        """One connection less; say whether it was the last."""
        rooms = self.places[name]
        rooms[room_id] -= 1
        if rooms[room_id]:
            return False
        self.forget(name, room_id)
        return True

    def forget(self, name: str, room_id: int) -> None:
        """The name has no place in the room any more."""
        rooms = self.places[name]
        rooms.pop(room_id, None)
        if not rooms:
            del self.places[name]

    def snapshot(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "connections": [list(connection) for connection in self.connections.values()],
            "places": [[name, list(rooms)] for name, rooms in self.places.items()],
            "draining": self.is_draining,
        }


class Surplus:
    """The connections of each name in all processes; `replaced(id)` for those beyond the limit, the oldest first."""

    def __init__(self, replaced: Callable[[str], None]):
        self._replaced = replaced
        self._of_name: defaultdict[str, dict[str, Connection]] = defaultdict(dict)

    def ids_of(self, name: str) -> Collection[str]:
        return self._of_name.get(names.key(name), {}).keys()

    def opened(self, connection: Connection) -> None:
        of_name = self._of_name[names.key(connection.name)]
        of_name[connection.id] = connection
        surplus = len(of_name) - connection.limit
        if surplus > 0:
            for one in sorted(of_name.values(), key=lambda one: (one.opened_at, one.id))[:surplus]:
                self._replaced(one.id)

    def closed(self, connection: Connection) -> None:
        key = names.key(connection.name)
        self._of_name[key].pop(connection.id, None)
        if not self._of_name[key]:
            del self._of_name[key]
