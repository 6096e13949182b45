"""People who note when they heard what, and what to make of their notes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from rig.line import Event
from rig.person import Person
from rig.site import Site
from rig.staging import tickets

ARRIVING_AT_ONCE = 20
LANDING_S = 10


class Listener(Person):
    """A person who knows when each text came for the first time."""

    def __init__(self, *args: object, **options: object):
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.heard: dict[str, float] = {}

    def _heed_message(self, message: Event) -> None:
        super()._heed_message(message)
        self.heard.setdefault(message["text"], time.monotonic())

    def _heed_joined(self, joined: Event) -> None:
        super()._heed_joined(joined)
        for message in joined["messages"]:
            self.heard.setdefault(message["text"], time.monotonic())


class Talk:
    """What was said when, and by whom it was to be heard."""

    def __init__(self, listeners: Sequence[Listener]):
        self.listeners = listeners
        self.said: dict[str, float] = {}

    async def say(self, speaker: Listener, text: str) -> None:
        self.said[text] = time.monotonic()
        await speaker.begins_to_say(text)

    async def landed(self) -> None:
        """Until everybody has heard everything, or it is to be called lost."""
        waiting = [self._heard_all(listener) for listener in self.listeners]
        await asyncio.wait([asyncio.ensure_future(heard) for heard in waiting], timeout=LANDING_S)

    async def _heard_all(self, listener: Listener) -> None:
        await listener.waits_for(lambda: listener.heard.keys() >= self.said.keys())

    @property
    def lost(self) -> int:
        return sum(text not in listener.heard for listener in self.listeners for text in self.said)

    def delays_s(self, after: float = 0, before: float = float("inf")) -> list[float]:
        """From the sending to each hearing, of what was said in that time."""
        return [
            listener.heard[text] - said_at
            for text, said_at in self.said.items()
            if after <= said_at < before
            for listener in self.listeners
            if text in listener.heard
        ]


def p99(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[98] if len(values) > 1 else max(values)


@asynccontextmanager
async def crowd(site: Site, count: int, rooms: Sequence[str] = ("lobby",)) -> AsyncIterator[list[Listener]]:
    """So many people with accounts, dealt out among the processes and the rooms."""
    admitted = await asyncio.to_thread(tickets, site, *(f"p{number:04}" for number in range(count)))
    processes = len(site.ws_urls)
    async with AsyncExitStack() as stack:
        people = []
        for number, ticket in enumerate(admitted):
            first = number % processes
            urls = site.ws_urls[first:] + site.ws_urls[:first]
            people.append(Listener(urls, f"ticket={ticket}", rooms[number // processes % len(rooms)]))
        for begin in range(0, count, ARRIVING_AT_ONCE):
            arriving = people[begin : begin + ARRIVING_AT_ONCE]
            await asyncio.gather(*(stack.enter_async_context(person) for person in arriving))
        yield people
