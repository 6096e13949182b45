"""Asking for what a room lacks, as often as it takes, then up to its beginning."""

from __future__ import annotations

import asyncio
import random

from rig.line import Disconnected, Line, Refused

from .backoff import backoff_s
from .timeline import Timeline

HISTORY_PAGE = 200


class CatchingUp:
    """The rooms that are being asked for, over one line: each by one task at a time."""

    def __init__(self, chance: random.Random):
        self._chance = chance
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, line: Line | None, timeline: Timeline) -> None:
        """Ask for what is missing, unless somebody is at it or nothing is."""
        task = self._tasks.get(timeline.room)
        is_behind = not timeline.is_live or timeline.has_earlier
        if is_behind and line is not None and (task is None or task.done()):
            self._tasks[timeline.room] = asyncio.create_task(self._ask(line, timeline))

    def end(self) -> None:
        """The line is gone."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def _ask(self, line: Line, timeline: Timeline) -> None:
        """Who did not get on waits before asking again."""
        attempt = 0
        while not timeline.is_live or timeline.has_earlier:
            pause_s = None
            try:
                got_on = await (self._ask_history(line, timeline) if timeline.is_live else self._join(line, timeline))
            except Disconnected:
                return
            except (Refused, TimeoutError) as problem:
                got_on, pause_s = False, getattr(problem, "retry_after_s", None)
            if got_on:
                attempt = 0
            else:
                await asyncio.sleep(pause_s or backoff_s(attempt, self._chance))
                attempt += 1

    async def _join(self, line: Line, timeline: Timeline) -> bool:
        """Ask once; say whether it brought us further."""
        asked_at, question = timeline.version, timeline.next_join()
        assert question is not None
        try:
            await line.ask({"type": "join", **question})
        except (Refused, TimeoutError):
            timeline.join_failed(question)
            raise
        return timeline.is_live or timeline.version != asked_at

    async def _ask_history(self, line: Line, timeline: Timeline) -> bool:
        await line.ask({"type": "history", "room": timeline.room, "before": timeline.oldest, "limit": HISTORY_PAGE})
        return True
