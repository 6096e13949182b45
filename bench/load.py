"""The load: messages posted to rooms, and the moment at which each has reached everybody."""

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import machine
from .clients import CONNECTS_AT_ONCE, TURN_S, Address, Clients
from .wires import Wire

LOST_AFTER_S = 8.0
LANDING_S = 10.0
BURST_IN_FLIGHT = 20

Figures = dict[str, float]


class Flight:
    """A message that has not reached everybody yet."""

    __slots__ = ("room", "missing", "posted_at")

    def __init__(self, room: str, missing: int):
        self.room = room
        self.missing = missing
        self.posted_at = time.perf_counter()


class Window:
    """What landed between two moments, and what that cost the servers."""

    def __init__(self, server_pids: Sequence[int], split: machine.Split):
        self._pids = server_pids
        self._cores = [split.server(0), split.load]
        self._latencies_s: list[float] = []
        self._deliveries = 0
        self._began = self._now()

    def landed(self, members: int, latency_s: float) -> None:
        self._deliveries += members
        self._latencies_s.append(latency_s)

    def figures(self) -> Figures:
        wall_s, cpu_s, *idle_s = (now - began for now, began in zip(self._now(), self._began, strict=True))
        figures = {
            "deliveries_per_s": self._deliveries / wall_s,
            "messages_per_s": len(self._latencies_s) / wall_s,
            "server_busy": 1 - idle_s[0] / wall_s,
            "load_busy": 1 - idle_s[1] / wall_s,
        }
        if len(self._latencies_s) >= 2:
            figures["cpu_us"] = cpu_s / self._deliveries * 1e6
            figures["p50_ms"] = statistics.median(self._latencies_s) * 1e3
            figures["p99_ms"] = statistics.quantiles(self._latencies_s, n=100)[98] * 1e3
        return figures

    def _now(self) -> list[float]:
        cpu_s = sum(machine.cpu_s(pid) for pid in self._pids)
        return [time.perf_counter(), cpu_s, *(machine.idle_s(core) for core in self._cores)]


class Load:
    """Clients of one server who post, in one of several rhythms, while the server's processes are watched."""

    clients_class = Clients

    def __init__(self, wire: Wire, addresses: Sequence[Address], server_pids: Sequence[int], split: machine.Split):
        self.clients = self.clients_class(wire, addresses, self._count)
        self._pids = server_pids
        self._split = split
        self._posters: dict[str, Any] = {}
        self._numbers = itertools.count(1)
        self._flights: dict[bytes, Flight] = {}
        self._lost = 0
        self._window: Window | None = None
        self._posts_again = False

    def connect(self, rooms: Sequence[str], at_once: int = CONNECTS_AT_ONCE) -> float:
        """One client into each of the rooms; the seconds until all are in."""
        self._posters.clear()
        began = time.perf_counter()
        self.clients.connect(rooms, at_once)
        return time.perf_counter() - began

    def disconnect(self) -> None:
        self._posters.clear()
        self._flights.clear()
        self.clients.disconnect()

    # Rhythms

    def saturate(self, rooms: Sequence[str], in_flight: int, warm_up_s: float, window_s: float) -> Figures:
        """As much as goes with so many messages on their way at any time, spread over these rooms."""
        self._posts_again = True
        for _, room in zip(range(in_flight), itertools.cycle(rooms), strict=False):
            self.post(room)
        figures = self._measure(warm_up_s, window_s, _no_plans)
        self._posts_again = False
        self._land()
        return figures | {"lost": self._lost}

    def pace(self, interval_s: float, warm_up_s: float, window_s: float) -> Figures:
        """A message in every room each interval, evenly spread."""
        rooms = itertools.cycle(list(self.clients.rooms))
        step_s = interval_s / len(self.clients.rooms)
        due = time.perf_counter()

        def post_what_is_due() -> float:
            nonlocal due
            while (wait_s := due - time.perf_counter()) <= 0:
                self.post(next(rooms))
                due += step_s
            return wait_s

        figures = self._measure(warm_up_s, window_s, post_what_is_due)
        self._land()
        return figures | {"lost": self._lost}

    def burst(self, room: str, count: int) -> None:
        """Post so many, a few on their way at a time, until everybody has them."""
        for _ in range(count):
            while len(self._flights) >= BURST_IN_FLIGHT:
                self.clients.turn(TURN_S)
            self.post(room)
        self._land()

    def server_cpu_s(self) -> float:
        return sum(machine.cpu_s(pid) for pid in self._pids)

    def server_memory_bytes(self) -> int:
        return sum(machine.memory_bytes(pid) for pid in self._pids)

    def rest(self, seconds: float) -> None:
        """Only listen, and stay alive."""
        self._run(seconds, _no_plans)

    def post(self, room: str) -> None:
        """From the next member in turn, to all of them."""
        members = self.clients.rooms[room]
        if room not in self._posters:
            self._posters[room] = itertools.cycle(members)
        number = next(self._numbers)
        self._flights[b"%07d" % number] = Flight(room, len(members))
        self.clients.say(next(self._posters[room]), self.clients.wire.post(room, number))

    # From post to all

    def _count(self, numbers: list[bytes], times: int) -> None:
        now = time.perf_counter()
        for number in numbers:
            flight = self._flights.get(number)
            if flight is not None:
                flight.missing -= times
                if flight.missing <= 0:
                    del self._flights[number]
                    self._landed(flight, now)

    def _landed(self, flight: Flight, now: float) -> None:
        if self._window is not None:
            self._window.landed(len(self.clients.rooms[flight.room]), now - flight.posted_at)
        if self._posts_again:
            self.post(flight.room)

    def _write_off(self, now: float) -> None:
        """A message that does not reach everybody in time is lost, and another takes its place."""
        number, oldest = next(iter(self._flights.items()), (b"", None))
        if oldest is not None and now - oldest.posted_at > LOST_AFTER_S:
            del self._flights[number]
            self._lost += 1
            self._given_up(oldest)
            if self._posts_again:
                self.post(oldest.room)

    def _given_up(self, flight: Flight) -> None:
        """For loads that keep count of what is on its way."""

    def _land(self) -> None:
        """Wait for what is on its way; what does not come is lost."""
        until = time.perf_counter() + LANDING_S
        while self._flights and time.perf_counter() < until:
            self.clients.turn(TURN_S)
        self._lost += len(self._flights)
        self._flights.clear()

    # The clock

    def _measure(self, warm_up_s: float, window_s: float, plans: Callable[[], float]) -> Figures:
        self._lost = 0
        gc.collect()
        gc.disable()
        try:
            self._run(warm_up_s, plans)
            self._window = Window(self._pids, self._split)
            self._run(window_s, plans)
            return self._window.figures()
        finally:
            self._window = None
            gc.enable()

    def _run(self, seconds: float, plans: Callable[[], float]) -> None:
        """`plans()` does what is due before each turn, and says how long nothing else is."""
        until = time.perf_counter() + seconds
        while (now := time.perf_counter()) < until:
            self._write_off(now)
            self.clients.turn(min(plans(), until - now))


def _no_plans() -> float:
    return TURN_S
