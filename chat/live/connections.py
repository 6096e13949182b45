"""Everybody who is connected to this process: by id, by user, and for how long they have been silent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol

from accounts.identity import Person
from chat.wire.closes import Close
from chat.wire.events import Event, ReadMoved


class Connected(Protocol):
    """A connection, as far as the engines know it."""

    id: str
    person: Person
    heard_at: float

    @property
    def sends_heartbeats(self) -> bool: ...

    def tell(self, event: Event) -> None: ...
    def read_moved(self, event: ReadMoved) -> None: ...
    def bye(self, code: Close, retry_after_s: float | None = None) -> None: ...
    def room_ids(self) -> list[int]: ...
    def holds(self, room_id: int) -> bool: ...
    def doubt_views(self) -> None: ...
    def forget_views(self) -> None: ...
    def removed_from(self, room_id: int) -> None: ...


class Connections:
    """The open connections of this process."""

    def __init__(self, process: str):
        self._process = process
        self._numbered = 0
        self._by_id: dict[str, Connected] = {}
        self._of_user: defaultdict[int, list[Connected]] = defaultdict(list)

    def next_id(self) -> str:
        self._numbered += 1
        return f"{self._process}-{self._numbered}"

    def add(self, connected: Connected) -> None:
        self._by_id[connected.id] = connected
        self._of_user[connected.person.user_id].append(connected)

    def remove(self, connected: Connected) -> bool:
        """Say whether it was here."""
        if self._by_id.pop(connected.id, None) is None:
            return False
        of_user = self._of_user[connected.person.user_id]
        of_user.remove(connected)
        if not of_user:
            del self._of_user[connected.person.user_id]
        return True

    def get(self, id: str) -> Connected | None:
        return self._by_id.get(id)

    def of_user(self, user_id: int) -> list[Connected]:
        return list(self._of_user.get(user_id, ()))

    def read_moved(self, user_id: int, event: ReadMoved, except_id: str = "") -> None:
        """The user has read so far, on the connection `except_id` or in another process."""
        for connected in self.of_user(user_id):
            if connected.id != except_id:
                connected.read_moved(event)

    def __iter__(self) -> Iterator[Connected]:
        """A snapshot: whoever is told something may leave meanwhile."""
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)
