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
            self.clients.append(Client(person, list(self.options.rooms), balancer, self._states, chance))
            self._keep(self.clients[-1].take_part())
        if not await self._until(lambda: all(client.is_caught_up for client in self.clients), START_TIMEOUT_S):
            raise NotStarted("not everybody could join")

    async def _trouble(self) -> Nemesis:
        """People write while things break."""
        options = self.options
        self._say(f"{options.clients} people write for {options.seconds:.0f} s")
        faults = plan(options.seed, options.seconds, options.mix, options.processes, options.pause_s, options.longest_s)
        nemesis = Nemesis(self.site, self.clients, self._say)
        authors = [
            self._keep(Author(client, options.rate_per_s, random.Random(f"{options.seed} {client.name}")).write())
            for client in self.clients
        ]
        await self._or_fail(nemesis.carry_out(faults, options.seconds))
        for author in authors:
            author.cancel()
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
        last_death = max((c.story.died_at for c in self.clients if not c.is_coming_back), default=0.0)
        patience_s = max(PRESENCE_TIMEOUT_S, last_death + ONLINE_AT_MOST_S + 2 - now())
        if await self._until(self._presence_is_right, patience_s):
            self._say(f"everybody knows who is there after {now() - began:.1f} s")

    async def _until_equal(self) -> bool:
        deadline = now() + PEACE_TIMEOUT_S
        while now() < deadline:
            if await self._until(
                lambda: all(c.is_caught_up and not c.unsent for c in self._living()), deadline - now()
            ):
                assert self.site.database is not None
                heads = await asyncio.to_thread(self.site.database.heads)
                if all(client.positions() == heads for client in self._living()):
                    return True
            await asyncio.sleep(POLL_S)
        return False

    def _behind(self) -> list[str]:
        """Where everybody is."""
        return [
            f"{client.name} on server {client.server}: {client.positions()}, {client.unsent} unsent"
            for client in self._living()
        ]

    def _living(self) -> list[Client]:
        return [client for client in self.clients if client.is_coming_back and client.story.sent_away is None]

    def _presence_is_right(self) -> bool:
        there = {client.name for client in self._living()}
        return all(view.online == there for client in self._living() for view in client.story.views.values())

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
        """Who that server says is there: asked by one more connection of somebody who is there anyway.

        A server that was started by this very question has to ask the others first.
        """
        there = {client.name for client in self._living()}
        person = next(one for one in self._people if one.name in there and one.way != BY_NAME_ALONE)
        line = await Balancer([self.site.urls[server]]).call(person, random.Random(0))
        reading = asyncio.create_task(_settle_all(line))
        try:
            deadline = now() + PRESENCE_TIMEOUT_S
            while True:
                answers = {room: await line.ask({"type": "join", "room": room}) for room in self.options.rooms}
                online = {room: set(answer["online"]["names"]) for room, answer in answers.items()}
                if now() > deadline or all(names == there for names in online.values()):
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
