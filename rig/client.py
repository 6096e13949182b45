"""A chat client for tests and for load: speaks `chat.v1` over a real socket and remembers what it was told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from rig.line import Event, Line

PATIENCE_S = 20


class ChatClient:
    """One person at one socket. Every event lands in `events`; `until` waits for the next one that fits."""

    patience_s = PATIENCE_S

    def __init__(self, url: str, **options: Any):
        self.url = url
        self.options = options
        self.events: list[Event] = []
        self.close_code: int | None = None
        self._ids = itertools.count(1)
        self._arrived = asyncio.Condition()
        self._seen = 0

    async def __aenter__(self) -> ChatClient:
        await self.connect()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def connect(self) -> ChatClient:
        self.line = await Line.open(self.url, open_timeout=PATIENCE_S, **self.options)
        self._reader = asyncio.create_task(self._read())
        return self

    async def close(self) -> None:
        await self.line.hang_up()
        await self._reader

    async def _read(self) -> None:
        async for events in self.line.events():
            await self._take(events)
        self.close_code = self.line.close_code
        await self._take([{"type": "closed", "code": self.close_code}])

    async def _take(self, events: list[Event]) -> None:
        """A page that nobody asked for is followed by its messages, for whoever waits for one of them."""
        async with self._arrived:
            for event in events:
                unasked = event["messages"] if event["type"] == "joined" and "id" not in event else []
                self.events += [event, *unasked]
            self._arrived.notify_all()

    # Asking

    async def send(self, type: str, **fields: Any) -> Any:
        """Send a verb without waiting; return its id."""
        id = fields.setdefault("id", next(self._ids))
        await self.line.send({"type": type, **fields})
        return id

    async def ask(self, type: str, **fields: Any) -> Event:
        """Send a verb and return its answer, an error included."""
        id = await self.send(type, **fields)
        return await self.until(lambda event: event.get("id") == id, from_start=True)

    async def join(self, room: str = "lobby", **fields: Any) -> Event:
        return await self.ask("join", room=room, **fields)

    async def post(self, text: str, room: str = "lobby", nonce: str | None = None, **fields: Any) -> Event:
        return await self.ask("post", room=room, text=text, nonce=nonce or f"{id(self)}-{next(self._ids)}", **fields)

    # Hearing

    async def until(self, fits: Callable[[Event], bool], from_start: bool = False) -> Event:
        """The next event that fits, or the first ever with `from_start`; TimeoutError after a generous while."""
        position = 0 if from_start else self._seen
        async with asyncio.timeout(self.patience_s), self._arrived:
            while True:
                for index in range(position, len(self.events)):
                    if fits(self.events[index]):
                        if not from_start:
                            self._seen = index + 1
                        return self.events[index]
                position = len(self.events)
                await self._arrived.wait()

    async def hears(self, text: str) -> Event:
        """The next message with that text."""
        return await self.until(lambda event: event["type"] == "message" and event["text"] == text)

    async def told(self, type: str, **fields: Any) -> Event:
        """The next event of that type with those fields."""
        return await self.until(lambda e: e["type"] == type and all(e.get(key) == fields[key] for key in fields))

    def messages(self, room: str = "lobby") -> list[Event]:
        """The messages heard so far that were not asked for, in the order of arrival."""
        return [event for event in self.events if event["type"] == "message" and event["room"] == room]
