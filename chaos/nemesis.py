"""Who breaks things: a plan made from a seed alone, and the one who carries it out."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rig.waiting import found_within, until

from .client import Client
from .database import Database, PostgreSQLDatabase
from .history import Strike, now
from .site import ChaosSite, Server

# Every kind of fault, and how many seconds it lasts at most; 0: as long as it takes.
ON_SERVERS = {"kill": 0.0, "commit-kill": 0.0, "roll": 0.0, "stop": 20.0}
ON_VALKEY = {"redis-restart": 5.0, "redis-freeze": 20.0}
ON_PEOPLE = {"cut": 0.0, "freeze": 40.0, "reload": 0.0, "leave": 0.0}
ON_DATABASE = {"lock": 12.0}
ON_POSTGRESQL = {"database-restart": 5.0, "database-freeze": 12.0}
LONGEST_S = ON_SERVERS | ON_VALKEY | ON_PEOPLE | ON_DATABASE | ON_POSTGRESQL
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
    """Carries out a plan. Whatever it breaks, it heals; nothing is broken in two ways at a time."""

    def __init__(self, site: ChaosSite, clients: list[Client], say: Callable[[str], None]):
        self.strikes: list[Strike] = []
        self._site = site
        self._clients = clients
        self._say = say
        self._in_use: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def carry_out(self, faults: Sequence[Fault], seconds: float) -> None:
        """Until the time is over, and all is healed. What had to wait so long for its turn is left out."""
        began = now()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(began + fault.at_s - now())
                group.create_task(self._strike(fault, began + seconds))
            await asyncio.sleep(began + seconds - now())

    async def _strike(self, fault: Fault, ends_at: float) -> None:
        if fault.kind in ON_PEOPLE:
            await self._befall_people(fault)
            return
        server = self._busiest() if fault.server is None else fault.server
        target = f"server {server}" if fault.kind in ON_SERVERS else "valkey" if fault.kind in ON_VALKEY else "database"
        async with self._in_use[target]:
            if now() < ends_at:
                await self._break(fault, target, server)

    async def _break(self, fault: Fault, target: str, server: int) -> None:
        chance = random.Random(fault.chance_seed)
        strike = self._note(fault, [server if fault.kind in ON_SERVERS else target], target)
        match fault.kind:
            case "kill":
                await self._kill(self._site.servers[server])
            case "commit-kill":
                await self._kill_after_commit(fault, self._site.servers[server], strike)
            case "roll":
                await self._roll(self._site.servers[server], strike)
            case "stop":
                await self._stop(self._site.servers[server], fault.seconds)
            case "redis-restart":
                await self._restart_valkey(fault.seconds, chance)
            case "redis-freeze":
                await self._freeze_valkey(fault.seconds)
            case "lock":
                strike.note = await self._database.hold_lock(fault.seconds, chance)
            case "database-restart":
                await self._postgresql.restart(fault.seconds, chance.choice([signal.SIGINT, signal.SIGQUIT]))
            case "database-freeze":
                await self._freeze_database(fault.seconds)
        strike.ended = now()

    def _note(self, fault: Fault, touched: Iterable[int | str], note: str) -> Strike:
        self.strikes.append(Strike(fault.kind, now(), frozenset(touched), note))
        lasting = f" for {fault.seconds:.1f} s" if LONGEST_S[fault.kind] else ""
        self._say(f"{fault.kind:18}{note}{lasting}")
        return self.strikes[-1]

    # Servers

    def _busiest(self) -> int:
        people = Counter(client.server for client in self._clients if client.server is not None)
        return max(range(len(self._site.servers)), key=lambda number: people[number])

    async def _kill(self, server: Server) -> None:
        server.kill()
        await until(lambda: server.is_running)
        await server.ready()

    async def _kill_after_commit(self, fault: Fault, server: Server, strike: Strike) -> None:
        """The next start dies between a commit and its delivery; people are cut off, so that some come to it."""
        server.fault = ",".join(filter(None, [server.fault, f"crash-after-commit:{CRASH_PROBABILITY}"]))
        await self._kill(server)
        strike.ended = now()
        crashing = server.process
        await self._befall_people(fault._replace(kind="cut"))
        if await found_within(CRASH_PATIENCE_S, lambda: crashing.poll() is not None):
            self._note(fault, strike.touched, f"{strike.note} died after a commit")
        else:
            self._note(fault, strike.touched, f"{strike.note} had nothing to commit")
            server.kill()
        await until(lambda: server.is_running)
        await server.ready()
        self.strikes[-1].ended = now()

    async def _roll(self, server: Server, strike: Strike) -> None:
        rolling = server.process
        server.ask_to_stop()
        if not await found_within(DRAIN_PATIENCE_S, lambda: rolling.poll() is not None):
            strike.note += ", did not stop"
            server.kill()
        await until(lambda: server.is_running)
        await server.ready()

    async def _stop(self, server: Server, seconds: float) -> None:
        server.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            server.thaw()

    # Valkey

    async def _restart_valkey(self, seconds: float, chance: random.Random) -> None:
        assert self._site.valkey is not None
        self._site.valkey.kill(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        try:
            await asyncio.sleep(seconds)
        finally:
            self._site.valkey.start()

    async def _freeze_valkey(self, seconds: float) -> None:
        assert self._site.valkey is not None
        self._site.valkey.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._site.valkey.thaw()

    # The database

    @property
    def _database(self) -> Database:
        assert self._site.database is not None
        return self._site.database

    @property
    def _postgresql(self) -> PostgreSQLDatabase:
        assert isinstance(self._site.database, PostgreSQLDatabase)
        return self._site.database

    async def _freeze_database(self, seconds: float) -> None:
        self._postgresql.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._postgresql.thaw()

    # People

    async def _befall_people(self, fault: Fault) -> None:
        chance = random.Random(fault.chance_seed)
        share = {"cut": chance.uniform(0.1, 1.0), "freeze": 0.2, "reload": 0.1, "leave": 0.0}[fault.kind]
        present = [client for client in self._clients if client.is_coming_back and client.is_awake]
        chosen = chance.sample(present, min(len(present), max(1, round(share * len(present)))))
        if fault.kind == "leave" and len(self._clients) - len(present) >= min(MOST_WHO_LEAVE, len(self._clients) // 4):
            return
        strike = self._note(fault, [client.name for client in chosen], _names(chosen))
        if fault.kind == "freeze":
            await self._freeze(chosen, fault.seconds)
        for client in chosen:
            if fault.kind == "cut":
                client.cut()
            elif fault.kind == "reload":
                client.reload()
            elif fault.kind == "leave":
                client.die()
        strike.ended = now()

    async def _freeze(self, clients: list[Client], seconds: float) -> None:
        for client in clients:
            client.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            for client in clients:
                client.thaw()


def _names(clients: list[Client]) -> str:
    return ", ".join(client.name for client in clients) if len(clients) <= 3 else f"{len(clients)} people"
