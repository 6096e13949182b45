"""One run: a site, people who write, a nemesis, peace, and the evidence of all that."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable, Coroutine
from typing import Any

from rig.line import Line

from . import people
from .author import Author
from .balancer import Balancer
from .client import Client
from .history import Evidence, States, now
from .nemesis import Nemesis, plan
from .options import Options
from .people import BY_NAME_ALONE, Person
from .presence import ONLINE_AT_MOST_S
from .site import ChaosSite

START_TIMEOUT_S = 60
PEACE_TIMEOUT_S = 60
PRESENCE_TIMEOUT_S = 30
READ_TIMEOUT_S = 20
POLL_S = 0.2
STALL_S = 0.5


class NotStarted(Exception):
    """The site or the people did not come up: nothing was tested."""


class Run:
    """`go` is the story. Whatever happens, nothing that was started here is left running."""

    def __init__(self, options: Options, say: Callable[[str], None]):
        self.options = options
        self.site = ChaosSite(options.database, options.processes, options.server, options.planted)
        self.clients: list[Client] = []
        self._authors: list[Author] = []
        self._say = say
        self._people: list[Person] = []
        self._states = States()
        self._stalls: list[tuple[float, float]] = []
        self._tasks: list[asyncio.Task[Any]] = []

    async def go(self) -> Evidence:
        try:
            await self._open()
            began = now()
            strikes = await self._trouble()
            await self._peace()
            return await self._evidence(began, strikes)
        finally:
            await self._close()

    def forget(self) -> None:
        """The folder with the logs and the database."""
        shutil.rmtree(self.site.folder, ignore_errors=True)

    async def _open(self) -> None:
        """Everything runs, and everybody is there."""
        self._say("starting the site")
        self.site.prepare(self.options.settings)
        self._people = people.settle(self.site.env, self.options.clients, list(self.options.rooms))
        await self.site.start()
        self._keep(self.site.keep_running())
        self._keep(self._watch_for_stalls())
        balancer = Balancer(self.site.urls)
        for number, person in enumerate(self._people):
            chance = random.Random(f"{self.options.seed} {number}")
            self.clients.append(Client(person, self.options.rooms_of(number), balancer, self._states, chance))
            self._keep(self.clients[-1].take_part())
        if not await self._until(lambda: all(client.is_caught_up for client in self.clients), START_TIMEOUT_S):
            raise NotStarted("not everybody could join")

    async def _trouble(self) -> Nemesis:
        """People write while things break."""
        options = self.options
        self._say(f"{options.clients} people write for {options.seconds:.0f} s")
        faults = plan(options.seed, options.seconds, options.mix, options.processes, options.pause_s, options.longest_s)
        nemesis = Nemesis(self.site, self.clients, self._say)
        self._authors = [
            Author(client, options.rate_per_s, random.Random(f"{options.seed} {client.name}"))
            for client in self.clients
        ]
        writing = [self._keep(author.write()) for author in self._authors]
        await self._or_fail(nemesis.carry_out(faults, options.seconds))
        for task in writing:
            task.cancel()
        return nemesis

    async def _peace(self) -> None:
        """Everything is whole again: outboxes become empty, and everybody gets to where the database is."""
        self._say("peace")
        began = now()
        await self.site.ready()
        if await self._until_equal():
            self._say(f"everybody is up to date after {now() - began:.1f} s")
        else:
            self._say(f"not everybody is up to date after {PEACE_TIMEOUT_S} s: {'; '.join(self._behind())}")
        await self._last_words()
        last_death = max((c.story.died_at for c in self.clients if not c.is_coming_back), default=0.0)
        patience_s = max(PRESENCE_TIMEOUT_S, last_death + ONLINE_AT_MOST_S + 2 - now())
        if await self._until(self._presence_is_right, patience_s):
            self._say(f"everybody knows who is there after {now() - began:.1f} s")

    async def _last_words(self) -> None:
        """A message in each room: everybody says once more how far they have read, which a server that died forgot."""
        for room in self.options.rooms:
            authors = (a for c, a in zip(self.clients, self._authors, strict=True) if c in self._living(room))
            if (author := next(authors, None)) is not None:
                author.post(room)
        if await self._until_equal() and await self._until_all_is_read():
            self._say("everybody has read everything")

    async def _until_all_is_read(self) -> bool:
        assert self.site.database is not None
        deadline = now() + READ_TIMEOUT_S
        while now() < deadline:
            self._raise_failures()
            kept = await asyncio.to_thread(self.site.database.read)
            if all(kept.get((room, c.name)) == seen for c in self._living() for room, seen in c.seen().items()):
                return True
            await asyncio.sleep(POLL_S)
        return False

    async def _until_equal(self) -> bool:
        deadline = now() + PEACE_TIMEOUT_S
        while now() < deadline:
            if await self._until(
                lambda: all(c.is_caught_up and not c.unsent for c in self._living()), deadline - now()
            ):
                assert self.site.database is not None
                heads = await asyncio.to_thread(self.site.database.heads)
                if all(c.positions() == {room: heads[room] for room in c.rooms} for c in self._living()):
                    return True
            await asyncio.sleep(POLL_S)
        return False

    def _behind(self) -> list[str]:
        """Where everybody is."""
        return [
            f"{client.name} on server {client.server}: {client.positions()}, {client.unsent} unsent"
            for client in self._living()
        ]

    def _living(self, room: str | None = None) -> list[Client]:
        """Those who are there, in that room if one is named."""
        there = [client for client in self.clients if client.is_coming_back and client.story.sent_away is None]
        return [client for client in there if room is None or room in client.rooms]

    def _presence_is_right(self) -> bool:
        there = {room: {client.name for client in self._living(room)} for room in self.options.rooms}
        return all(c.story.views[room].online == there[room] for c in self._living() for room in c.rooms)

    async def _evidence(self, began: float, nemesis: Nemesis) -> Evidence:
        assert self.site.database is not None
        online = {number: await self._online(number) for number in range(self.options.processes)}
        return Evidence(
            stories=[client.finish() for client in self.clients],
            kept=self.site.database.kept(),
            states=self._states,
            strikes=nemesis.strikes,
            stalls=self._stalls,
            online=online,
            began=began,
            ended=now(),
        )

    async def _online(self, server: int) -> dict[str, set[str]]:
        """Who that server says is there, in each room that somebody sits in who can come in twice."""
        named = {person.name for person in self._people if person.way != BY_NAME_ALONE}
        insiders = {room: [c.name for c in self._living(room) if c.name in named] for room in self.options.rooms}
        return {room: await self._online_in(room, names[0], server) for room, names in insiders.items() if names}

    async def _online_in(self, room: str, insider: str, server: int) -> set[str]:
        """Asked by one more connection of somebody who is there anyway.

        A server that was started by this very question has to ask the others first.
        """
        there = {client.name for client in self._living(room)}
        person = next(one for one in self._people if one.name == insider)
        line = await Balancer([self.site.urls[server]]).call(person, random.Random(0))
        reading = asyncio.create_task(_settle_all(line))
        try:
            deadline = now() + PRESENCE_TIMEOUT_S
            while True:
                online = set((await line.ask({"type": "join", "room": room}))["online"]["names"])
                if now() > deadline or online == there:
                    return online
                await asyncio.sleep(POLL_S)
        finally:
            reading.cancel()
            await line.hang_up()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(client.hung_up() for client in self.clients), return_exceptions=True)
        await self.site.stop()

    # Waiting, while nothing that runs beside may fail unheard

    def _keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        self._tasks.append(asyncio.create_task(work))
        return self._tasks[-1]

    async def _or_fail(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do it, unless one of the tasks beside fails first: then so does this."""
        task = self._keep(work)
        while not task.done():
            await asyncio.wait([one for one in self._tasks if not one.done()], return_when=asyncio.FIRST_COMPLETED)
            self._raise_failures()
        await task

    async def _until(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        deadline = now() + timeout_s
        while not is_so():
            self._raise_failures()
            if now() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    def _raise_failures(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and (problem := task.exception()) is not None:
                raise problem

    async def _watch_for_stalls(self) -> None:
        """When this program does not get on, nobody's lateness can be told."""
        while True:
            before = now()
            await asyncio.sleep(STALL_S / 5)
            if now() - before > STALL_S:
                self._stalls.append((before, now()))


async def _settle_all(line: Line) -> None:
    async for events in line.events():
        for event in events:
            line.settle(event)
