"""Asking for what a room lacks, as often as it takes, then up to its beginning."""

from __future__ import annotations

import asyncio
import random

from rig.backoff import backoff_s
from rig.line import Disconnected, Line, Refused
from rig.room import Room

HISTORY_PAGE = 200


class CatchingUp:
    """The rooms that are being asked for, over one line: each by one task at a time."""

    def __init__(self, chance: random.Random):
        self._chance = chance
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, line: Line | None, room: Room) -> None:
        """Ask for what is missing, unless somebody is at it or nothing is."""
        task = self._tasks.get(room.slug)
        is_behind = not room.is_live or room.has_earlier
        if is_behind and line is not None and (task is None or task.done()):
            self._tasks[room.slug] = asyncio.create_task(self._ask(line, room))

    def end(self) -> None:
        """The line is gone."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def _ask(self, line: Line, room: Room) -> None:
        """Who did not get on waits before asking again."""
        attempt = 0
        while not room.is_live or room.has_earlier:
            pause_s = None
            try:
                got_on = await (self._ask_history(line, room) if room.is_live else self._join(line, room))
            except Disconnected:
                return
            except (Refused, TimeoutError) as problem:
                got_on, pause_s = False, getattr(problem, "retry_after_s", None)
            if got_on:
                attempt = 0
            else:
                await asyncio.sleep(pause_s or backoff_s(attempt, self._chance))
                attempt += 1

    async def _join(self, line: Line, room: Room) -> bool:
        """Ask once; say whether it brought us further."""
        asked_at, question = room.position, room.next_join()
        assert question is not None
        try:
            await line.ask({"type": "join", **question})
        except (Refused, TimeoutError):
            room.join_failed(question)
            raise
        return room.is_live or room.position != asked_at

    async def _ask_history(self, line: Line, room: Room) -> bool:
        await line.ask({"type": "history", "room": room.slug, "before": room.oldest, "limit": HISTORY_PAGE})
        return True
