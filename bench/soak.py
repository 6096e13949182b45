"""An hour in the life of a site: people talk in many rooms, and again and again one of them is gone and comes back.

python -m bench.soak [--minutes 60] [--database sqlite]

Says each minute what was delivered and what the server's memory is, and ends with 1 unless every delivery was exact and
the memory flat after ten minutes.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections import Counter, deque
from typing import Any, NamedTuple

from . import machine
from .clients import Client
from .load import Flight
from .people import PeopleClients, PeopleLoad, PeopleWire
from .site import SiteServer
from .workshop import SITE, SITE_ON_POSTGRESQL, Workshop

PEOPLE, ROOMS = 1_500, 75
POSTS_PER_S, RETURNS_PER_S = 100, 10
TICK_S = 0.005
SETTLE_S, REST_S = 5.0, 30.0
MINUTE_S = 60.0
WARM_UP_MINUTES = 10
CREEP_LIMIT_MB = 0.1
SITES = {"sqlite": SITE, "postgresql": SITE_ON_POSTGRESQL}


class SoakClients(PeopleClients):
    """Clients who leave in the order in which they came; whoever comes next has the ticket of whoever left first."""

    wire: PeopleWire

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._in_order: deque[Client] = deque()
        self.away: Counter[str] = Counter()

    @property
    def next_to_leave(self) -> Client:
        return self._in_order[0]

    def come_back(self, after: int) -> None:
        """The next to leave does, without a word, and is on the way back at once; all up to `after` was seen."""
        client = self._in_order.popleft()
        self._hang_up(client)
        self.away[client.room] += 1
        self.wire.after = after
        self._dial(client.room)

    def _hang_up(self, client: Client) -> None:
        del self._by_fd[client.socket.fileno()]
        client.socket.close()
        self.rooms[client.room].remove(client)
        self._beating = [other for other in self._beating if other is not client]
        self._readers.discard(client)

    def _dial(self, room: str) -> None:
        super()._dial(room)
        self._in_order.append(next(reversed(self._by_fd.values())))

    def _arrived(self, client: Client) -> None:
        super()._arrived(client)
        self.away[client.room] = max(0, self.away[client.room] - 1)


class SoakLoad(PeopleLoad):
    """Counts every delivery, and what every message should have been delivered."""

    clients_class = SoakClients
    clients: SoakClients

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.wanted = self.seen = self.returns = 0
        self._in_room: Counter[str] = Counter()
        self._rooms: itertools.cycle[str] = itertools.cycle(())
        self._posts_due = self._returns_due = 0.0

    def begin(self, rooms: list[str]) -> None:
        self._rooms = itertools.cycle(rooms)
        self._posts_due = self._returns_due = time.perf_counter()

    def live(self, seconds: float) -> None:
        self._run(seconds, self._what_is_due)

    def land(self) -> int:
        """Wait for what is on its way, and say how many messages did not reach everybody."""
        self._land()
        return self._lost

    def post(self, room: str) -> None:
        """From whoever of the room came last; whoever is on the way back gets it too."""
        number, members = next(self._numbers), self.clients.rooms[room]
        flight = Flight(room, len(members) + self.clients.away[room])
        self._flights[b"%07d" % number] = flight
        self._in_room[room] += 1
        self.wanted += flight.missing
        self.clients.say(members[-1], self.clients.wire.post(room, number))

    def _what_is_due(self) -> float:
        now = time.perf_counter()
        while self._posts_due <= now:
            self.post(next(self._rooms))
            self._posts_due += 1 / POSTS_PER_S
        if self._returns_due <= now and not self._in_room[room := self.clients.next_to_leave.room]:
            self.clients.come_back(self._seqs.get(room, 0))
            self.returns += 1
            self._returns_due += 1 / RETURNS_PER_S
        return TICK_S

    def _count(self, numbers: list[bytes], times: int) -> None:
        self.seen += len(numbers) * times
        super()._count(numbers, times)

    def _landed(self, flight: Flight, now: float) -> None:
        self._in_room[flight.room] -= 1
        super()._landed(flight, now)

    def _given_up(self, flight: Flight) -> None:
        """Else nobody of that room would ever leave again, and nobody who comes after them in order."""
        self._in_room[flight.room] -= 1
        print(f"lost in {flight.room}: {flight.missing} still miss it", flush=True)


class Soaked(NamedTuple):
    """What an hour came to. Memory in megabytes, at the end of each minute and when everybody had left."""

    wanted: int
    seen: int
    lost: int
    returns: int
    memory_mb: list[float]
    left_mb: float

    @property
    def creep_mb(self) -> float:
        """A minute, after the first ten."""
        later = self.memory_mb[WARM_UP_MINUTES:]
        return statistics.linear_regression(range(len(later)), later).slope if len(later) > 1 else 0.0

    @property
    def holds(self) -> bool:
        return self.lost == 0 and self.seen == self.wanted and self.creep_mb <= CREEP_LIMIT_MB

    def __str__(self) -> str:
        return (
            f"{self.seen:,} of {self.wanted:,} delivered, {self.lost} messages lost, {self.returns:,} came back;"
            f" memory {self.memory_mb[0]:.1f} MB after a minute, {self.memory_mb[-1]:.1f} MB at the end,"
            f" {self.creep_mb:+.2f} MB a minute after ten; {self.left_mb:.1f} MB when all had left"
        )


def soak(server: SiteServer, minutes: int) -> Soaked:
    rooms = [f"room{number}" for number in range(ROOMS)]
    lifetime_s = minutes * MINUTE_S * 2
    tickets = server.seed(people=PEOPLE, rooms=rooms, lifetime_s=lifetime_s)["tickets"]
    wire = PeopleWire(itertools.cycle(tickets), rooms, places=1)
    load = server.take(SoakLoad(wire, server.addresses, server.pids, server.split))
    load.connect([rooms[number % ROOMS] for number in range(PEOPLE)])
    load.rest(SETTLE_S)
    load.begin(rooms)
    memory_mb = [_minute(load, number) for number in range(1, minutes + 1)]
    lost = load.land()
    load.disconnect()
    load.rest(REST_S)
    return Soaked(load.wanted, load.seen, lost, load.returns, memory_mb, load.server_memory_bytes() / 1e6)


def _minute(load: SoakLoad, number: int) -> float:
    load.live(MINUTE_S)
    memory_mb = load.server_memory_bytes() / 1e6
    print(f"minute {number}: {load.seen:,} delivered, {load.returns:,} came back, {memory_mb:.1f} MB", flush=True)
    return memory_mb


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--database", choices=SITES, default="sqlite")
    asked = parser.parse_args()
    machine.allow_many_sockets()
    with (
        Workshop() as workshop,
        workshop.running(SITES[asked.database]) as server,
        machine.on_core(workshop.split.load),
    ):
        soaked = soak(server, asked.minutes)
    print(f"\n{machine.description()}\n{soaked}")
    return 0 if soaked.holds else 1


if __name__ == "__main__":
    sys.exit(main())
