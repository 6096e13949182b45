"""Who breaks things: a plan made from a seed alone, and the one who carries it out."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from .client import Client
from .database import PostgreSQLDatabase
from .history import Strike, now
from .site import ChaosSite, Server
from .waiting import until

LONGEST_S = {
    "kill": 0,
    "commit-kill": 0,
    "roll": 0,
    "stop": 20,
    "redis-restart": 5,
    "redis-freeze": 20,
    "cut": 0,
    "freeze": 40,
    "reload": 0,
    "leave": 0,
    "lock": 12,
    "database-restart": 5,
    "database-freeze": 12,
}
KINDS = tuple(LONGEST_S)
SHORTEST_S = 0.5
MOST_WHO_LEAVE = 4
CRASH_PROBABILITY = 0.5
CRASH_PATIENCE_S = 15
DRAIN_PATIENCE_S = 20


class Fault(NamedTuple):
    """One line of the plan. `chance_seed` decides what is left open, whom it hits for one.

    `server`: a number, or None for the one that has the most people then.
    """

    at_s: float
    kind: str
    server: int | None
    seconds: float
    chance_seed: int


def plan(
    seed: int, seconds: float, kinds: Sequence[str], servers: int, pause_s: float, longest_s: float
) -> list[Fault]:
    """The same seed and options make the same plan. Every kind comes before any comes again."""
    chance = random.Random(seed)
    faults: list[Fault] = []
    bag: list[str] = []
    at_s = 0.0
    while (at_s := at_s + chance.uniform(0.5, 1.5) * pause_s) < seconds:
        bag = bag or chance.sample(list(kinds), len(kinds))
        kind = bag.pop()
        longest = min(LONGEST_S[kind], longest_s)
        duration = chance.uniform(min(SHORTEST_S, longest), longest)
        server = chance.choice([None, chance.randrange(servers)])
        faults.append(Fault(at_s, kind, server, duration, chance.getrandbits(32)))
    return faults


class Nemesis:
    """Carries out a plan. Nothing is hit twice at a time; `rest` waits for what is under way, and heals it."""

    def __init__(self, site: ChaosSite, clients: list[Client], say: Callable[[str], None]):
        self.strikes: list[Strike] = []
        self._site = site
        self._clients = clients
        self._say = say
        self._in_use: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def carry_out(self, faults: Sequence[Fault]) -> None:
        began = now()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(began + fault.at_s - now())
                group.create_task(self._strike(fault))

    async def _strike(self, fault: Fault) -> None:
        method = getattr(self, "_" + fault.kind.replace("-", "_"))
        await method(fault, random.Random(fault.chance_seed))

    def _note(self, fault: Fault, touched: Sequence[int | str], note: str = "") -> Strike:
        strike = Strike(fault.kind, now(), frozenset(touched), note)
        self.strikes.append(strike)
        lasting = f" for {fault.seconds:.1f} s" if LONGEST_S[fault.kind] else ""
        self._say(f"{fault.kind:16} {note or ', '.join(map(str, touched))}{lasting}")
        return strike

    # Servers

    async def _kill(self, fault: Fault, chance: random.Random) -> None:
        async with self._server(fault) as (server, strike):
            server.kill()
            await self._back(server, strike)

    async def _commit_kill(self, fault: Fault, chance: random.Random) -> None:
        """The next start dies between a commit and its delivery."""
        async with self._server(fault) as (server, strike):
            server.fault = ",".join(filter(None, [server.fault, f"crash-after-commit:{CRASH_PROBABILITY}"]))
            server.kill()
            await self._back(server, strike)
            crashing = server.pid
            if await until(lambda: server.pid != crashing, CRASH_PATIENCE_S):
                strike.note += ", died"
            else:
                server.kill()
            await self._back(server, strike)

    async def _roll(self, fault: Fault, chance: random.Random) -> None:
        async with self._server(fault) as (server, strike):
            rolling = server.process
            server.ask_to_stop()
            if not await until(lambda: rolling.poll() is not None, DRAIN_PATIENCE_S):
                strike.note += ", did not stop"
                server.kill()
            await self._back(server, strike)

    async def _stop(self, fault: Fault, chance: random.Random) -> None:
        async with self._server(fault) as (server, strike):
            server.freeze()
            try:
                await asyncio.sleep(fault.seconds)
            finally:
                server.thaw()
            strike.ended = now()

    async def _back(self, server: Server, strike: Strike) -> None:
        await until(lambda: server.is_running)
        await server.ready()
        strike.ended = now()

    @asynccontextmanager
    async def _server(self, fault: Fault) -> AsyncIterator[tuple[Server, Strike]]:
        """The server, which nobody else touches meanwhile."""
        number = self._busiest() if fault.server is None else fault.server
        async with self._in_use[f"server {number}"]:
            yield self._site.servers[number], self._note(fault, [number], f"server {number}")

    def _busiest(self) -> int:
        people = Counter(client.server for client in self._clients if client.server is not None)
        return max(range(len(self._site.servers)), key=lambda number: people[number])

    # Valkey

    async def _redis_restart(self, fault: Fault, chance: random.Random) -> None:
        async with self._in_use["valkey"]:
            strike = self._note(fault, ["valkey"])
            valkey = self._site.valkey
            assert valkey is not None
            valkey.kill(chance.choice([signal.SIGKILL, signal.SIGTERM]))
            try:
                await asyncio.sleep(fault.seconds)
            finally:
                valkey.start()
            strike.ended = now()

    async def _redis_freeze(self, fault: Fault, chance: random.Random) -> None:
        async with self._in_use["valkey"]:
            strike = self._note(fault, ["valkey"])
            valkey = self._site.valkey
            assert valkey is not None
            valkey.freeze()
            try:
                await asyncio.sleep(fault.seconds)
            finally:
                valkey.thaw()
            strike.ended = now()

    # People

    async def _cut(self, fault: Fault, chance: random.Random) -> None:
        for client in self._some(fault, chance, chance.uniform(0.1, 1.0)):
            client.cut()

    async def _reload(self, fault: Fault, chance: random.Random) -> None:
        for client in self._some(fault, chance, 0.1):
            client.reload()

    async def _freeze(self, fault: Fault, chance: random.Random) -> None:
        clients = [client for client in self._some(fault, chance, 0.2, "frozen") if client.is_awake]
        strike = self.strikes[-1]
        for client in clients:
            client.freeze()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            for client in clients:
                client.thaw()
        strike.ended = now()

    async def _leave(self, fault: Fault, chance: random.Random) -> None:
        """Somebody dies without a word, and does not come back."""
        dead = [client for client in self._clients if not client.is_coming_back]
        if len(dead) < min(MOST_WHO_LEAVE, len(self._clients) // 4):
            for client in self._some(fault, chance, 0.01):
                client.die()

    def _some(self, fault: Fault, chance: random.Random, share: float, what: str = "") -> list[Client]:
        """So many of those who are there, at least one; the strike is noted."""
        present = [client for client in self._clients if client.is_coming_back and client.is_awake]
        chosen = chance.sample(present, max(1, min(len(present), round(share * len(present))))) if present else []
        strike = self._note(fault, [client.name for client in chosen], _names(chosen))
        if not what:
            strike.ended = now()
        return chosen

    # The database

    async def _lock(self, fault: Fault, chance: random.Random) -> None:
        async with self._in_use["database"]:
            strike = self._note(fault, ["database"])
            assert self._site.database is not None
            strike.note = await self._site.database.hold_lock(fault.seconds, chance)
            strike.ended = now()

    async def _database_restart(self, fault: Fault, chance: random.Random) -> None:
        async with self._in_use["database"]:
            strike = self._note(fault, ["database"])
            assert isinstance(self._site.database, PostgreSQLDatabase)
            await self._site.database.restart(fault.seconds, chance.choice([signal.SIGINT, signal.SIGQUIT]))
            strike.ended = now()

    async def _database_freeze(self, fault: Fault, chance: random.Random) -> None:
        async with self._in_use["database"]:
            strike = self._note(fault, ["database"])
            assert isinstance(self._site.database, PostgreSQLDatabase)
            self._site.database.freeze()
            try:
                await asyncio.sleep(fault.seconds)
            finally:
                self._site.database.thaw()
            strike.ended = now()


def _names(clients: list[Client]) -> str:
    if len(clients) <= 3:
        return ", ".join(client.name for client in clients)
    return f"{len(clients)} people"
