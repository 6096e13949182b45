"""A person whose browser does what it should: it comes back, catches up, and sends again until there is an answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rig.backoff import backoff_s
from rig.line import COMES_WHEN_TOLD, LOST, STAYS_AWAY, Disconnected, Event

from .balancer import Balancer, NoAnswer, ServerLine
from .catching_up import CatchingUp
from .drafts import Drafts
from .hearing import Hearing
from .history import FOREVER, Message, States, Story, View, Write, now
from .outbox import Outbox
from .people import Person
from .reading import Reading
from .watched_room import WatchedRoom

STABLE_AFTER_S = 10.0
CONNECT_TIMEOUT_S = 10.0
SILENCE_INTERVALS = 2.5

RELOADED = 1001
HEARTBEAT_MISSED = 4103


class Client:
    """One person's connection, outboxes and rooms, for the whole run, whatever happens in between."""

    def __init__(self, person: Person, rooms: list[str], balancer: Balancer, states: States, chance: random.Random):
        self.story = Story(person.name)
        self.rooms = {slug: WatchedRoom(slug, self._noter(states)) for slug in rooms}
        self.story.views.update({slug: View() for slug in rooms})
        self.posts, self.changes = Outbox(self.submit), Outbox(self.submit)
        self.drafts = Drafts(self.say)
        self._reading = Reading(self.say)
        self.is_coming_back = True
        self._person = person
        self._balancer = balancer
        self._chance = chance
        self._awake = asyncio.Event()
        self._awake.set()
        self._online = asyncio.Event()
        self._line: ServerLine | None = None
        self._catching_up = CatchingUp(chance)
        self._hearing = Hearing(self.story, self.rooms, self._reading, self._catch_up)
        self._hanging_up: set[asyncio.Task[None]] = set()
        self._bye: Event | None = None
        self._heard_at = self._online_at = 0.0
        self._lost: asyncio.Future[int] | None = None

    def _catch_up(self, room: WatchedRoom) -> None:
        self._catching_up.begin(self._line, room)

    def _noter(self, states: States) -> Callable[[Message], Message]:
        return lambda message: states.note(message, self.story.name)

    @property
    def name(self) -> str:
        return self.story.name

    @property
    def server(self) -> int | None:
        """The number of the server that this person is connected to."""
        return self._line.server if self._line and self._online.is_set() else None

    @property
    def is_awake(self) -> bool:
        return self._awake.is_set()

    @property
    def is_caught_up(self) -> bool:
        return self._online.is_set() and all(room.is_live for room in self.rooms.values())

    @property
    def unsent(self) -> int:
        return len(self.posts) + len(self.changes)

    def positions(self) -> dict[str, int]:
        return {slug: room.position or 0 for slug, room in self.rooms.items() if room.is_live}

    def seen(self) -> dict[str, int]:
        """By room, the ordinal of the latest message that was shown."""
        return {slug: room.latest["ordinal"] for slug, room in self.rooms.items() if room.latest is not None}

    async def take_part(self) -> None:
        """Be there until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stay_connected())
            group.create_task(self.posts.deliver())
            group.create_task(self.changes.deliver())
            group.create_task(self._reading.tell())

    async def submit(self, write: Write) -> Event:
        """Send a write once, over whatever line there is; its ack, or why there is none."""
        await self._online.wait()
        await self._awake.wait()
        if (line := self._line) is None:
            raise Disconnected
        write.sent.append((now(), line.server))
        return await line.ask(write.frame())

    async def say(self, verb: Event, ordinal: int = 0) -> bool:
        """Send a verb that has no answer, if there is a line; whether there was. `ordinal`: of the message read."""
        if self._line is None or self.server is None or not self.is_awake:
            return False
        self.story.says(verb, ordinal)
        with suppress(Disconnected):
            await self._line.send(verb)
            return True
        return False

    async def hung_up(self) -> None:
        """Wait until the last sockets are closed."""
        await asyncio.gather(*self._hanging_up, return_exceptions=True)

    # What may befall a person

    def cut(self) -> None:
        if self._line is not None:
            self._line.reset()

    def freeze(self) -> None:
        """Nothing is read, nothing is sent, no timer fires: the laptop is shut."""
        self._awake.clear()
        self.story.is_away()
        self.story.frozen.append((now(), FOREVER))
        if self._line is not None:
            self._line.stop_reading()

    def thaw(self) -> None:
        self._awake.set()
        self.story.frozen[-1] = (self.story.frozen[-1][0], now())
        if self._line is not None:
            self._line.read_on()
        self._note_caught_up()
        self._reading.resume()

    def reload(self) -> None:
        """The page is loaded again: the outbox is kept, the rooms are not."""
        self._lose(RELOADED)
        for room in self.rooms.values():
            room.clear()
        self._reading.forget()

    def die(self) -> None:
        """Gone without a word, for good."""
        self.is_coming_back = False
        self.story.died_at = now()
        self.cut()
        self._lose(LOST)

    # The connection

    async def _stay_connected(self) -> None:
        attempt = 0
        while self.is_coming_back:
            code = await self._connect_and_stay()
            bye, self._bye = self._bye or {}, None
            code = bye.get("code", code)
            self.story.loses(self._server if self._online_at else None, code)
            if self._online_at and now() - self._online_at >= STABLE_AFTER_S:
                attempt = 0
            self._online_at = 0.0
            if code in STAYS_AWAY:
                self.story.sent_away = (now(), code)
                return
            if code in COMES_WHEN_TOLD and "retry_after" in bye:
                await asyncio.sleep(bye["retry_after"])
            elif code != RELOADED:
                await asyncio.sleep(backoff_s(attempt, self._chance))
                attempt += 1

    async def _connect_and_stay(self) -> int:
        """From the call to the end of the line; the code it ended with. Nobody waits for a socket to finish closing."""
        self._lost = asyncio.get_running_loop().create_future()
        tasks: list[asyncio.Task[Any]] = []
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._awake.wait()
                self._line = await self._balancer.call(self._person, self._chance)
                self._server = self._line.server
                tasks.append(asyncio.create_task(self._read(self._line)))
                welcomed = asyncio.create_task(self._online.wait())
                tasks.append(welcomed)
                await asyncio.wait({self._lost, welcomed}, return_when=asyncio.FIRST_COMPLETED)
            tasks.append(asyncio.create_task(self._beat(self._line)))
            return await self._lost
        except (NoAnswer, TimeoutError):
            return LOST
        finally:
            self._disconnected(tasks)

    def _disconnected(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        self._catching_up.end()
        self._online.clear()
        for room in self.rooms.values():
            room.disconnected()
        if self._line is not None:
            self._line.fail_all()
            hanging_up = asyncio.create_task(self._line.hang_up())
            self._hanging_up.add(hanging_up)
            hanging_up.add_done_callback(self._hanging_up.discard)
            self._line = None

    def _lose(self, code: int) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(code)

    async def _read(self, line: ServerLine) -> None:
        async for events in line.events():
            await self._awake.wait()
            if self._online.is_set() and now() - self._heard_at > self._silence_s:
                self._lose(HEARTBEAT_MISSED)  # this lay waiting while we slept: the server has given us up
                return
            self._heard_at = now()
            for event in events:
                self.story.tail.append((self._heard_at, event))
                self._take(line, event)
        await self._awake.wait()
        self._lose(line.close_code)

    async def _beat(self, line: ServerLine) -> None:
        """A heartbeat every interval; any frame is an answer, and without one in time the line is given up."""
        if not self._online.is_set():
            return
        interval_s, timeout_s = self._heartbeat["interval"], self._heartbeat["timeout"]
        await asyncio.sleep(interval_s)
        while True:
            await self._awake.wait()
            beat_at = now()
            with suppress(Disconnected, TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await line.send({"type": "heartbeat", "at": self.positions(), "sent": beat_at})
            await asyncio.sleep(beat_at + timeout_s - now())
            await self._awake.wait()
            if self._heard_at < beat_at:
                self._lose(HEARTBEAT_MISSED)
            await asyncio.sleep(beat_at + interval_s - now())

    # What the server says

    def _take(self, line: ServerLine, event: Event) -> None:
        if event["type"] == "hello":
            self._welcome(event)
        elif event["type"] == "bye":
            self._bye = event
        self._hearing.take(event)
        if event["type"] == "joined":
            self._note_caught_up()
        line.settle(event)

    def _welcome(self, hello: Event) -> None:
        self._heartbeat: dict[str, float] = hello["heartbeat"]
        self._silence_s = self._heartbeat["interval"] * SILENCE_INTERVALS
        self._online_at = now()
        self._online.set()

    # For the evidence

    def _note_caught_up(self) -> None:
        if self.is_caught_up and self.is_awake and self._line is not None:
            self.story.catches_up(self._line.server)

    def finish(self) -> Story:
        """The story, complete."""
        story = self.story
        for slug, room in self.rooms.items():
            view = story.views[slug]
            view.shown, view.messages, view.head = room.shown, room.messages, room.position or 0
            view.is_live = room.is_live
            story.gaps += room.gaps
            story.resyncs += room.resyncs
        return story
