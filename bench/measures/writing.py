"""What a stored message costs on PostgreSQL, near and a millisecond away; what a change of a room costs the others."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.load import Load
from bench.site import SiteServer
from bench.workshop import SITE, SITE_ON_POSTGRESQL, Peer, Workshop
from rig.client import ChatClient
from rig.programs import Program
from rig.raw_socket import RawSocket

from .stage import Stage
from .table import Finding

TURNS = 6
WARM_UP_S, WINDOW_S = 0.5, 4.0
WRITERS = 40
NEAR_RATIO_LIMIT = 1.6

ONE_WAY_S = 0.0005
AWAY_P50_LIMIT_MS = 5.5
AWAY_RATE_LIMIT = 1_500
IN_FLIGHT = 20

HALLS, PEOPLE_IN_A_HALL = 20, 100
RETITLE_EVERY_S = 0.5
TITLE_RATIO_LIMIT = 1.2

REACTION_SOCKETS = 500
LONG_TEXT = "x" * 4_000
REACTION_LIMIT_BYTES = 250

RETITLE = """
import itertools, time
from chat.models import Room
room = Room.objects.get(slug="renamed")
print("ready", flush=True)
for number in itertools.count():
    room.title = "Title %d" % number
    room.save()
    time.sleep({every_s})
"""


def writers(server: SiteServer) -> tuple[Load, list[str]]:
    """Each alone in a room: what writing costs without delivering."""
    rooms = [f"room{number}" for number in range(WRITERS)]
    load = server.load(rooms, WRITERS)
    load.connect(rooms)
    return load, rooms


async def near(stage: Stage) -> Finding:
    """On both databases, in turn."""
    with Workshop() as workshop, workshop.running(SITE) as sqlite, workshop.running(SITE_ON_POSTGRESQL) as postgresql:
        sites = {"sqlite": writers(sqlite), "postgresql": writers(postgresql)}
        p50_ms: dict[str, list[float]] = {name: [] for name in sites}
        for _ in range(TURNS):
            for name, (load, rooms) in sites.items():
                p50_ms[name].append(load.saturate(rooms, 1, WARM_UP_S, WINDOW_S / 2)["p50_ms"])
    ours, theirs = statistics.median(p50_ms["postgresql"]), statistics.median(p50_ms["sqlite"])
    return Finding(
        f"p50 {ours:.2f} ms instead of SQLite's {theirs:.2f} ms, {ours / theirs:.2f}×",
        holds=ours / theirs <= NEAR_RATIO_LIMIT,
    )


async def away(stage: Stage) -> Finding:
    """Through a relay that keeps every byte for half a millisecond, each way."""
    with Workshop() as workshop, workshop.running(AwaySite.PEER) as server:
        load, rooms = writers(server)
        one = load.saturate(rooms, 1, WARM_UP_S, WINDOW_S)
        many = load.saturate(rooms, IN_FLIGHT, WARM_UP_S, WINDOW_S)
        line_ms = server.line_ms()
    return Finding(
        f"p50 {one['p50_ms']:.2f} ms; {many['messages_per_s']:.0f} messages/s with {IN_FLIGHT} in flight;"
        f" the line itself takes {line_ms:.2f} ms",
        holds=one["p50_ms"] <= AWAY_P50_LIMIT_MS and many["messages_per_s"] >= AWAY_RATE_LIMIT,
    )


class Relay(Program):
    """A line that takes its time, beside the load."""

    def __init__(self, folder: Path, target: str):
        self.address = folder / ".s.PGSQL.5432"
        command = [sys.executable, "-m", "bench.relay", str(self.address), target, str(ONE_WAY_S)]
        super().__init__(command, folder / "relay.log")

    def is_ready(self) -> bool:
        return self.address.exists()


class AwaySite(SiteServer):
    """This site, with its PostgreSQL at the other end of a relay."""

    PEER: Peer

    def start(self, processes: int, env: dict[str, str], program: str) -> None:
        near = env["DATABASE_URL"]
        folder = self._sockets / "relay"
        folder.mkdir()
        self._relay = Relay(folder, f"{near.partition('host=')[2]}/.s.PGSQL.5432")
        self._far = f"{near.partition('host=')[0]}host={folder}"
        super().start(processes, env | {"DATABASE_URL": self._far}, program)

    def line_ms(self) -> float:
        """The median of a question that costs PostgreSQL nothing."""
        took_s = []
        with psycopg.connect(self._far, autocommit=True) as connection:
            for _ in range(100):
                began = time.perf_counter()
                connection.execute("")
                took_s.append(time.perf_counter() - began)
        return statistics.median(took_s) * 1e3

    def stop(self) -> None:
        super().stop()
        if hasattr(self, "_relay") and self._relay.is_running:
            self._relay.kill()


AwaySite.PEER = Peer("site PG, away", AwaySite, processes=1, database="postgresql")


async def title(stage: Stage) -> Finding:
    """Two thousand people talk in rooms of a hundred; a room that none of them is in gets other titles, in turn."""
    rooms = [f"hall{number}" for number in range(HALLS)]
    site = Peer("site", SiteServer, processes=1, database=stage.database)
    with Workshop() as workshop, workshop.running(site) as server:
        load = server.load([*rooms, "renamed"], HALLS * PEOPLE_IN_A_HALL)
        load.connect(rooms * PEOPLE_IN_A_HALL)
        p99_ms: dict[bool, list[float]] = {False: [], True: []}
        with retitling(server) as somebody:
            for _ in range(TURNS):
                somebody.freeze()
                p99_ms[False].append(load.pace(1.0, WARM_UP_S, WINDOW_S)["p99_ms"])
                somebody.thaw()
                p99_ms[True].append(load.pace(1.0, WARM_UP_S, WINDOW_S)["p99_ms"])
    changing, still = statistics.median(p99_ms[True]), statistics.median(p99_ms[False])
    return Finding(
        f"p99 {changing:.1f} ms instead of {still:.1f} ms, {changing / still:.2f}×",
        holds=changing / still <= TITLE_RATIO_LIMIT,
    )


@contextmanager
def retitling(server: SiteServer) -> Iterator[Retitling]:
    program = Retitling(server)
    try:
        yield program
    finally:
        program.kill()


class Retitling(Program):
    """Somebody who changes the title of one room again and again."""

    def __init__(self, server: SiteServer):
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", RETITLE.format(every_s=RETITLE_EVERY_S)]
        super().__init__(command, server.folder / "retitling.log", server.env)

    def is_ready(self) -> bool:
        return "ready" in self.log.read_text()


async def reaction(stage: Stage) -> Finding:
    """What each of five hundred is sent for a reaction to a long message."""
    with stage.site(1) as site:
        url = f"{site.ws_urls[0]}?name="
        async with ChatClient(f"{url}author") as author:
            await author.join()
            seq = (await author.post(LONG_TEXT))["seq"]
            sockets = [await _in_the_lobby(f"{url}reader{number}") for number in range(REACTION_SOCKETS)]
            await author.ask("react", room="lobby", seq=seq, emoji="👍")
            sizes = await asyncio.gather(*(_reaction_bytes(socket) for socket in sockets))
            for socket in sockets:
                socket.vanish()
    return Finding(f"{max(sizes)} bytes each, at most", holds=max(sizes) <= REACTION_LIMIT_BYTES)


async def _in_the_lobby(url: str) -> RawSocket:
    socket = await RawSocket.open(url, "chat.v1")
    await socket.send("join", room="lobby")
    await socket.told("joined")
    return socket


async def _reaction_bytes(socket: RawSocket) -> int:
    while '"type":"reaction"' not in (text := await socket.text()):
        pass
    assert json.loads(text.split("\n")[0])
    return len(text.encode()) + 4
