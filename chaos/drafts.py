"""Who types what nobody has been sent yet: by the rules of the page's chat.js."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rig.line import Event

from .history import now

TYPING_EVERY_S = 3.0


class Drafts:
    """Says that its owner types, at most once in three seconds in each room, and that a draft is gone.

    `say(verb)` answers whether there was a line to say it over.
    """

    def __init__(self, say: Callable[[Event], Awaitable[bool]]):
        self._say = say
        self._typed_at: dict[str, float] = {}

    async def typed(self, room: str) -> None:
        if now() - self._typed_at.get(room, -TYPING_EVERY_S) >= TYPING_EVERY_S:
            typed_at = now()
            if await self._say({"type": "typing", "room": room}):
                self._typed_at[room] = typed_at

    async def thrown_away(self, room: str) -> None:
        if self._typed_at.pop(room, None) is not None:
            await self._say({"type": "typing", "room": room, "on": False})
