"""Under the load that people make: thousands who read what they see, sit in many rooms, on a site with many more."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from bench.load import Figures, Load
from bench.people import PeopleLoad, PeopleWire
from bench.site import SiteServer
from bench.workshop import Peer, Workshop

from .stage import Stage
from .table import Finding

LOBBY = "lobby"
TURNS = 8
TURN_S = 6.0
WARM_UP_S = 1.0
SETTLE_S = 3.0

READERS = 3_000
READING_RATIO_LIMIT = 1.3

MEMBERS, ROOMS, PLACES = 4_000, 2_000, 25
REST_S = 20.0
PRESENCE_LIMIT = 0.1

ONE_ROOM, MESSAGES_PER_S = 5_000, 40
BIG_ROOM_S = 20.0
BIG_ROOM_P99_LIMIT_MS = 300

FEW, MANY = 10, 20_000
STORM = 1_000
QUESTIONS = 100
SLOWER_LIMIT, DEARER_LIMIT = 0.8, 1.2


def people_of(server: SiteServer, count: int, rooms: list[str], places: int = 1) -> PeopleLoad:
    tickets = server.seed(people=count, rooms=rooms, places=places)["tickets"]
    wire = PeopleWire(itertools.cycle(tickets), rooms, places)
    return server.take(PeopleLoad(wire, server.addresses, server.pids, server.split))


@contextmanager
def one_process(stage: Stage, workshop: Workshop) -> Iterator[SiteServer]:
    with workshop.running(Peer("site", SiteServer, processes=1, database=stage.database)) as server:
        yield server


async def readers(stage: Stage) -> Finding:
    """The same people with and without reading, in turn."""
    with Workshop() as workshop, one_process(stage, workshop) as server:
        load = people_of(server, READERS, [LOBBY])
        load.connect([LOBBY] * READERS)
        load.rest(SETTLE_S)
        p50_ms: dict[bool, list[float]] = {True: [], False: []}
        lost = 0.0
        for turn in range(TURNS):
            load.is_reading = turn % 2 == 0
            figures = load.pace(1.0, WARM_UP_S, TURN_S)
            p50_ms[load.is_reading].append(figures["p50_ms"])
            lost += figures["lost"]
    reading_ms, without_ms = statistics.median(p50_ms[True]), statistics.median(p50_ms[False])
    ratio = reading_ms / without_ms
    return Finding(
        f"p50 to all {reading_ms:.1f} ms instead of {without_ms:.1f} ms, {ratio:.2f}×; {lost:.0f} lost",
        holds=ratio <= READING_RATIO_LIMIT and lost == 0,
    )


async def presence(stage: Stage) -> Finding:
    """What the same people cost at rest, in many rooms each and in one: the rest is heartbeats."""
    rooms = [f"room{number}" for number in range(ROOMS)]
    shares = {}
    with Workshop() as workshop:
        for places in (1, PLACES):
            with one_process(stage, workshop) as server:
                load = people_of(server, MEMBERS, rooms, places)
                load.connect([rooms[number % ROOMS] for number in range(MEMBERS)])
                load.rest(SETTLE_S)
                shares[places] = load.measure_rest(REST_S)
    cost = shares[PLACES] - shares[1]
    return Finding(
        f"{cost:.1%} of a core ({shares[PLACES]:.1%} in {PLACES} rooms each, {shares[1]:.1%} in one, with heartbeats)",
        holds=cost <= PRESENCE_LIMIT,
    )


async def big_room(stage: Stage) -> Finding:
    with Workshop() as workshop, one_process(stage, workshop) as server:
        load = people_of(server, ONE_ROOM, [LOBBY])
        load.connect([LOBBY] * ONE_ROOM)
        load.rest(SETTLE_S)
        figures = load.pace(1 / MESSAGES_PER_S, WARM_UP_S, BIG_ROOM_S)
    return Finding(
        f"p50 {figures['p50_ms']:.0f} ms, p99 {figures['p99_ms']:.0f} ms, {figures['messages_per_s']:.0f} messages/s;"
        f" {figures['lost']:.0f} lost; server core {figures['server_busy']:.0%} busy, load {figures['load_busy']:.0%}",
        holds=figures["p99_ms"] <= BIG_ROOM_P99_LIMIT_MS and figures["lost"] == 0,
    )


async def many_rooms(stage: Stage) -> Finding:
    """A site with twenty thousand rooms beside one with ten, in turn."""
    with Workshop() as workshop, one_process(stage, workshop) as small, one_process(stage, workshop) as large:
        loads = {FEW: _with_rooms(small, FEW), MANY: _with_rooms(large, MANY)}
        figures: dict[int, Figures] = {}
        for _ in range(3):  # the last round counts: the first ones fill what is remembered
            figures = {count: _storm(load) for count, load in loads.items()}
        joins_ms = {count: _joins_ms(load) for count, load in loads.items()}
    faster = figures[MANY]["connects_per_s"] / figures[FEW]["connects_per_s"]
    dearer = figures[MANY]["kb"] / figures[FEW]["kb"]
    slower = joins_ms[MANY] / joins_ms[FEW]
    return Finding(
        f"connects {figures[MANY]['connects_per_s']:.0f}/s, {faster:.2f}×; {figures[MANY]['kb']:.1f} kB each,"
        f" {dearer:.2f}×; join {joins_ms[MANY]:.2f} ms, {slower:.2f}×",
        holds=faster >= SLOWER_LIMIT and dearer <= DEARER_LIMIT and slower <= DEARER_LIMIT,
    )


def _with_rooms(server: SiteServer, count: int) -> Load:
    server.seed(rooms=[LOBBY], other_rooms=count - 1)
    return server.load([LOBBY], STORM)


def _storm(load: Load) -> Figures:
    """All come; what each of them costs when all are quiet; all go."""
    before_bytes = load.server_memory_bytes()
    took_s = load.connect([LOBBY] * STORM)
    load.rest(SETTLE_S)
    kb = (load.server_memory_bytes() - before_bytes) / STORM / 1e3
    load.disconnect()
    load.rest(SETTLE_S)
    return {"connects_per_s": STORM / took_s, "kb": max(kb, 0.1)}


def _joins_ms(load: Load) -> float:
    load.connect([LOBBY])
    client = load.clients.rooms[LOBBY][0]
    join = load.clients.wire.join(LOBBY)  # type: ignore[attr-defined]
    took_s = [load.clients.ask(client, join, b'"type":"joined"') for _ in range(QUESTIONS)]
    return statistics.median(took_s) * 1e3
