"""How far somebody has read, and saying so: by the rules of the page's read_position.js."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rig.line import Event

READ_EVERY_S = 1.0


@dataclass
class Place:
    """The last message seen in a room, and how far the server knows."""

    seq: int = 0
    ordinal: int = 0
    told: int = 0


class Reading:
    """Says how far its owner has read: never backwards, at most once a second, the latest always.

    `say(verb, ordinal)` answers whether there was a line to say it over.
    """

    def __init__(self, say: Callable[[Event, int], Awaitable[bool]]):
        self._say = say
        self._places: defaultdict[str, Place] = defaultdict(Place)
        self._news = asyncio.Event()

    def known(self, room: str, ordinal: int) -> None:
        """The server knows that its owner has read so far, here or elsewhere."""
        place = self._places[room]
        place.told = max(place.told, ordinal)

    def seen(self, message: Event) -> None:
        place = self._places[message["room"]]
        if message["ordinal"] > place.ordinal:
            place.seq, place.ordinal = message["seq"], message["ordinal"]
            self._news.set()

    def resume(self) -> None:
        """There is a line again: what could not be said is said."""
        self._news.set()

    def forget(self) -> None:
        """The page is loaded again: the server says in `hello` what it knows."""
        self._places.clear()

    async def tell(self) -> None:
        """Until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            for room, place in list(self._places.items()):
                await self._tell(room, place)
            await asyncio.sleep(READ_EVERY_S)

    async def _tell(self, room: str, place: Place) -> None:
        seq, ordinal = place.seq, place.ordinal
        if ordinal > place.told and await self._say({"type": "read", "room": room, "seq": seq}, ordinal):
            place.told = max(place.told, ordinal)
