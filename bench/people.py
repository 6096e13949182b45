"""A load of people: they do what the page does. It looks at one room of several, and says how far it has read."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from . import websocket
from .clients import Client, Clients
from .load import Flight, Load
from .websocket import END_OF_HEADERS
from .wires import ChatWire, Step

READ_EVERY_S = 1.0
READS_A_TURN = 250


class PeopleWire(ChatWire):
    """Joins several rooms of its own, and looks at the first."""

    def __init__(self, tickets: Iterator[str], rooms: Sequence[str], places: int):
        super().__init__(tickets)
        self._rooms = list(rooms)
        self._places = places

    def steps(self, room: str) -> list[Step]:
        first = self._rooms.index(room)
        places = [self._rooms[(first + step) % len(self._rooms)] for step in range(self._places)]
        joins = [Step(b'"type":"joined"', self.join(place)) for place in places[1:]]
        look = f'{{"type":"look","id":9,"rooms":["{room}"]}}'.encode()
        return [
            Step(END_OF_HEADERS),
            Step(b'"type":"hello"', self.join(room)),
            *joins,
            Step(b'"type":"joined"', look),
            Step(b'"type":"looking"'),
        ]


class PeopleClients(Clients):
    """Clients of whom some have something to read, and say so as soon as they have, a number of them each turn."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._readers: deque[tuple[Client, bytes]] = deque()

    def read(self, room: str, seq: int) -> None:
        frame = websocket.masked(f'{{"type":"read","room":"{room}","seq":{seq}}}'.encode())
        self._readers.extend((client, frame) for client in self.rooms[room])

    def turn(self, timeout_s: float) -> None:
        super().turn(0 if self._readers else timeout_s)
        for _ in range(min(READS_A_TURN, len(self._readers))):
            client, frame = self._readers.popleft()
            self._send(client, frame)


class PeopleLoad(Load):
    """A load whose people read what they see while `is_reading`, each at most once a second, as the page has it.

    A room that nobody else writes to, and in which nothing is edited: its n-th message is its n-th change.
    """

    clients_class = PeopleClients
    clients: PeopleClients

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.is_reading = True
        self._seqs: dict[str, int] = {}
        self._read_at: dict[str, float] = {}

    def _landed(self, flight: Flight, now: float) -> None:
        self._seqs[flight.room] = self._seqs.get(flight.room, 0) + 1
        super()._landed(flight, now)
        if self.is_reading and now - self._read_at.get(flight.room, -READ_EVERY_S) >= READ_EVERY_S:
            self._read_at[flight.room] = now
            self.clients.read(flight.room, self._seqs[flight.room])

    def measure_rest(self, seconds: float) -> float:
        """The share of a core that the servers take while nobody says anything."""
        before_s, began = self.server_cpu_s(), time.perf_counter()
        self.rest(seconds)
        return (self.server_cpu_s() - before_s) / (time.perf_counter() - began)
