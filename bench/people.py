"""A load of people: they do what the page does. It looks at one room of several, and says how far it has read."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from . import websocket
from .clients import Client, Clients
from .load import Flight, Load
from .websocket import END_OF_HEADERS
from .wires import ChatWire, Step

READ_EVERY_S, READ_SPREAD_S = 1.0, 0.5
READS_A_TURN = 10  # each is somebody's own, and holds up nobody's hearing


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
    """Clients who say how far they have read: at once, then again after a second or some more, as the page has it."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._latest: dict[str, int] = {}
        self._readers: set[Client] = set()
        self._due: list[tuple[float, int, Client, int]] = []  # a heap: when, by whom, and what they said last
        self._serial = itertools.count()

    def read(self, room: str, seq: int, now: float) -> None:
        """All who look at the room have seen the message."""
        self._latest[room] = seq
        for client in self.rooms[room]:
            if client not in self._readers:
                self._readers.add(client)
                heapq.heappush(self._due, (now, next(self._serial), client, 0))

    def forget(self) -> None:
        """Nobody reads any more."""
        self._readers.clear()
        self._due.clear()

    def turn(self, timeout_s: float) -> None:
        due_s = self._due[0][0] - time.perf_counter() if self._due else timeout_s
        super().turn(max(0.0, min(timeout_s, due_s)))
        now = time.perf_counter()
        for _ in range(READS_A_TURN):
            if not self._due or self._due[0][0] > now:
                return
            _, serial, client, told = heapq.heappop(self._due)
            if client not in self._readers or client.socket.fileno() < 0:
                continue
            if (latest := self._latest[client.room]) > told:
                self._send(
                    client, websocket.masked(f'{{"type":"read","room":"{client.room}","seq":{latest}}}'.encode())
                )
            again = now + READ_EVERY_S + random.random() * READ_SPREAD_S
            heapq.heappush(self._due, (again, serial, client, latest))


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

    def _landed(self, flight: Flight, now: float) -> None:
        self._seqs[flight.room] = self._seqs.get(flight.room, 0) + 1
        super()._landed(flight, now)
        if self.is_reading:
            self.clients.read(flight.room, self._seqs[flight.room], now)
        else:
            self.clients.forget()

    def measure_rest(self, seconds: float) -> float:
        """The share of a core that the servers take while nobody says anything."""
        before_s, began = self.server_cpu_s(), time.perf_counter()
        self.rest(seconds)
        return (self.server_cpu_s() - before_s) / (time.perf_counter() - began)
