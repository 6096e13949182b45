"""The rows of the table: each function measures some on one peer. PLAN says who takes part in which."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from .load import Figures, Load
from .reader import Reader, compared
from .turns import Name, in_turn
from .wires import ChatWire
from .workshop import EVERYBODY, SITE, SITE_ON_POSTGRESQL, SOCKETIO, TUTORIAL_PUBSUB, TWO_SITES, WS, Peer, Workshop

LOBBY = "lobby"


class Row(NamedTuple):
    """Figures of one peer: the one that is being measured, if no other is named. One key is one row of the table."""

    key: str
    title: str
    figures: Figures
    peer: Peer | None = None


Measured = Iterator[Row]


class Scale(NamedTuple):
    """How long and how much."""

    warm_up_s: float
    window_s: float
    members: int
    crowd: int
    paced_rooms: int
    idle: int
    storm: int
    messages: int
    active_rooms: int
    requests: int
    turns: int


FULL = Scale(1.5, 5, 200, 1_000, 300, 4_000, 2_000, 1_000_000, 5_000, 100, 24)
QUICK = Scale(0.5, 1.5, 200, 1_000, 50, 1_000, 500, 100_000, 500, 20, 10)

PACED_MEMBERS = 20
MISSED = 100
FEW_MESSAGES = 1_000
FEW_ROOMS, MANY_ROOMS = 10, 1_000
WRITERS = 40
ROOMS_PER_CLIENT = 500
WARM_UP_CLIENTS = 20
SETTLE_S = 3.0
STORM_BEGINS_WITH = 10


def rates(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """One room, and as much as goes."""
    with workshop.running(peer) as server:
        load = server.load([LOBBY], scale.crowd)
        load.connect([LOBBY] * scale.members)
        for in_flight in (1, 20, 100):
            figures = load.saturate([LOBBY], in_flight, scale.warm_up_s, scale.window_s)
            yield Row(f"room, {in_flight}", f"{scale.members} sockets, {in_flight} in flight", figures)
        load.connect([LOBBY] * (scale.crowd - scale.members))
        load.rest(1)
        figures = load.saturate([LOBBY], 1, scale.warm_up_s, scale.window_s)
        yield Row("crowd, 1", f"{scale.crowd:,} sockets, 1 in flight", figures)


def shared(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """What a delivery costs one process and two, in turn."""
    with workshop.running(SITE) as one, workshop.running(TWO_SITES) as two:
        loads = {"one process": one.load([LOBBY], scale.crowd), "two processes": two.load([LOBBY], scale.crowd)}
        for processes, figures in _one_message_in_turn(loads, scale.crowd, scale).items():
            title = f"{scale.crowd:,} sockets, 1 in flight, {processes} of one and two in turn"
            yield Row(f"shared, {processes}", title, _only(figures, "cpu_us"))


def duel(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """One room, a message at a time: this peer and socket.io in turn."""
    with workshop.running(peer) as ours, workshop.running(SOCKETIO) as theirs:
        loads = {peer: ours.load([LOBBY], scale.members), SOCKETIO: theirs.load([LOBBY], scale.members)}
        for duellist, figures in _one_message_in_turn(loads, scale.members, scale).items():
            yield Row("duel", f"{scale.members} sockets, 1 in flight, in turn", figures, duellist)


def paced_duel(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """Many rooms, one message a second in each: this peer and socket.io in turn."""
    rooms = [f"room{number}" for number in range(scale.paced_rooms)]
    members = rooms * PACED_MEMBERS
    with workshop.running(peer) as ours, workshop.running(SOCKETIO) as theirs:
        loads = {peer: ours.load(rooms, len(members)), SOCKETIO: theirs.load(rooms, len(members))}
        for load in loads.values():
            load.connect(members)
            load.rest(SETTLE_S)
        times_s = scale.warm_up_s / 8, scale.window_s / 4
        measured = in_turn(scale.turns, {name: partial(load.pace, 1.0, *times_s) for name, load in loads.items()})
        for duellist, figures in measured.items():
            title = f"{len(rooms)} rooms × {PACED_MEMBERS} sockets, a message a second each, in turn"
            yield Row("paced duel", title, figures, duellist)


def _one_message_in_turn(loads: dict[Name, Load], members: int, scale: Scale) -> dict[Name, Figures]:
    for load in loads.values():
        load.connect([LOBBY] * members)
    window_s = scale.window_s / 8
    return in_turn(scale.turns, {name: partial(load.saturate, [LOBBY], 1, 0, window_s) for name, load in loads.items()})


def paced(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """Many rooms, one message a second in each."""
    rooms = [f"room{number}" for number in range(scale.paced_rooms)]
    with workshop.running(peer) as server:
        load = server.load(rooms, len(rooms) * PACED_MEMBERS)
        load.connect(rooms * PACED_MEMBERS)
        load.rest(SETTLE_S)
        figures = load.pace(1.0, scale.warm_up_s, 2 * scale.window_s)
        yield Row("paced", f"{len(rooms)} rooms × {PACED_MEMBERS} sockets, a message a second each", figures)


def arrivals(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """Connections one after another, and what they hold when all are quiet."""
    with workshop.running(peer) as server:
        load = server.load([LOBBY], scale.idle)
        load.connect([LOBBY] * WARM_UP_CLIENTS)
        load.rest(1)
        count, memory_bytes, cpu_s = scale.idle - WARM_UP_CLIENTS, server.memory_bytes, server.cpu_s
        took_s = load.connect([LOBBY] * count)
        cpu_s = server.cpu_s - cpu_s
        load.rest(SETTLE_S)
        figures = {
            "connects_per_s": count / took_s,
            "connect_cpu_us": cpu_s / count * 1e6,
            "memory_kb": (server.memory_bytes - memory_bytes) / count / 1000,
        }
        yield Row("arrivals", f"{scale.idle:,} connections", figures)


def storm(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """Everybody back at once, each with the same messages behind."""
    with workshop.running(peer) as server:
        load = server.load([LOBBY], scale.storm + 1)
        wire: ChatWire = load.clients.wire  # type: ignore[assignment]
        load.connect([LOBBY] * scale.storm)
        load.burst(LOBBY, STORM_BEGINS_WITH)
        load.disconnect()
        load.connect([LOBBY])
        load.burst(LOBBY, MISSED)
        load.disconnect()
        wire.after, wire.last = STORM_BEGINS_WITH, STORM_BEGINS_WITH + MISSED
        cpu_s = server.cpu_s
        took_s = load.connect([LOBBY] * scale.storm, at_once=scale.storm)
        figures = {"caught_up_s": took_s, "connect_cpu_us": (server.cpu_s - cpu_s) / scale.storm * 1e6}
        yield Row("storm", f"{scale.storm:,} clients back at once, {MISSED} messages behind", figures)


def stored(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """What a message costs until it is stored and delivered: in each room its writer alone."""
    rooms = [f"room{number}" for number in range(WRITERS)]
    with workshop.running(peer) as server:
        load = server.load(rooms, len(rooms))
        load.connect(rooms)
        for in_flight in (1, 10, 100, 1_000):
            measured = load.saturate(rooms, in_flight, scale.warm_up_s, scale.window_s)
            figures = _only(measured, "messages_per_s", "cpu_us", "p50_ms", "p99_ms")
            yield Row(f"stored, {in_flight}", f"stored, {in_flight:,} in flight", figures)


def pages(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """Pages of a short and of a long conversation, in turn."""
    lengths = {"short": FEW_MESSAGES, "long": scale.messages}
    with workshop.running(peer) as server:
        session = server.seed(messages=lengths, session=True)["session"]
        load = server.load([], 1)
        load.connect([LOBBY])
        reader = Reader(server, load, session)
        page = {}
        for room, length in lengths.items():
            page["room page", room] = partial(reader.room_page, room)
            page["latest messages", room] = partial(reader.history, room, length + 1)
            page["history page", room] = partial(reader.history, room, length // 2)
        took_ms = compared(page, scale.requests)
        for name, room in sorted(took_ms, key=lambda page: page[0]):
            figures = {"p50_ms": took_ms[name, room]}
            yield Row(f"{name}, {room}", f"{name}, {lengths[room]:,} messages", figures)


def many_rooms(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """The room page as the site gets more rooms."""
    with workshop.running(peer) as server:
        for count in (FEW_ROOMS, MANY_ROOMS):
            session = server.seed(rooms=[f"room{number}" for number in range(count - 1)], session=True)["session"]
            reader = Reader(server, server.load([], 1), session)
            took_ms = compared({"page": partial(reader.room_page, LOBBY)}, scale.requests)
            yield Row(f"room page, {count}", f"room page, {count:,} rooms", {"p50_ms": took_ms["page"]})


def other_rooms(workshop: Workshop, peer: Peer, scale: Scale) -> Measured:
    """How long a message takes to all of one room, while nobody and while many are in other rooms."""
    count, sockets = scale.active_rooms, scale.active_rooms // ROOMS_PER_CLIENT
    others = [f"room{number}" for number in range(count)]
    with workshop.running(peer) as server:
        load = server.load([LOBBY], PACED_MEMBERS + sockets)
        load.connect([LOBBY] * PACED_MEMBERS)
        figures = load.saturate([LOBBY], 1, scale.warm_up_s, scale.window_s)
        yield Row("post, alone", "post, no other active rooms", _latency(figures))
        server.seed(rooms=others)
        load.connect(["room0"] * sockets)
        for client, own in zip(load.clients.rooms["room0"], _dealt(others, sockets), strict=True):
            for room in own:
                load.clients.ask(client, load.clients.wire.join(room), b'"type":"joined"')
        figures = load.saturate([LOBBY], 1, scale.warm_up_s, scale.window_s)
        yield Row("post, among others", f"post, {count:,} other active rooms", _latency(figures))


def _latency(figures: Figures) -> Figures:
    return _only(figures, "p50_ms", "p99_ms")


def _only(figures: Figures, *wanted: str) -> Figures:
    return {name: figures[name] for name in wanted if name in figures}


def _dealt(things: list[str], hands: int) -> list[list[str]]:
    return [things[hand::hands] for hand in range(hands)]


Measure = Callable[[Workshop, Peer, Scale], Measured]

Plan = list[tuple[Measure, list[Peer]]]

PLAN: Plan = [
    (rates, EVERYBODY),
    (duel, [SITE]),
    (shared, [SITE]),
    (paced_duel, [SITE]),
    (paced, EVERYBODY),
    (arrivals, EVERYBODY),
    (storm, [SITE, SITE_ON_POSTGRESQL]),
    (stored, [SITE, SITE_ON_POSTGRESQL]),
    (pages, [SITE]),
    (many_rooms, [SITE]),
    (other_rooms, [SITE]),
]

QUICK_PLAN: Plan = [
    (rates, [SITE, TUTORIAL_PUBSUB, SOCKETIO, WS]),
    (duel, [SITE]),
    (paced_duel, [SITE]),
    (arrivals, [SITE, SOCKETIO]),
    (pages, [SITE]),
    (other_rooms, [SITE]),
]
