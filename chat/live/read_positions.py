"""How far people have read: kept by the process that heard it, and written together, seldom.

One by one, three thousand readers of a message would make the next one a second late. What is not written yet is
written when the reader's last connection here goes, and when the process goes. The other processes hear of it at once,
many positions together, and remember it until it is written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from chat import limits
from chat.rooms.reading import Place
from chat.wire.refusals import Refusal

logger = logging.getLogger("chat.reading")

GONE_TOGETHER_S = 0.05
PUBLISHED_TOGETHER_S = 0.05


class Position(NamedTuple):
    """Somebody has read a room up to the message with this ordinal."""

    user_id: int
    room_id: int
    room: str
    ordinal: int

    @property
    def place(self) -> Place:
        return self.user_id, self.room_id


Positions = dict[int, dict[int, Position]]  # user, room


class ReadPositions:
    """The furthest position of each person in each room, as heard lately.

    `write(ordinals)` keeps them; `publish(positions)` says them to the other processes.
    """

    def __init__(
        self,
        write: Callable[[Mapping[Place, int]], Awaitable[None]],
        publish: Callable[[list[Position]], None],
    ):
        self._write = write
        self._publish = publish
        self._unwritten: Positions = {}
        self._being_written: Positions = {}
        self._elsewhere: list[Positions] = [{}, {}]  # lately, and before that
        self._unpublished: list[Position] = []
        self._aged_at = 0.0
        self._writing = asyncio.Lock()
        self._soon: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._write_later(limits.READ_POSITIONS_WRITTEN_S)

    async def stop(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.written()

    def move(self, position: Position) -> bool:
        """Take a position that was heard here; say whether it is further than what is known."""
        if self.furthest(position) >= position.ordinal:
            return False
        self._unwritten.setdefault(position.user_id, {})[position.room_id] = position
        if not self._unpublished:
            asyncio.get_running_loop().call_later(PUBLISHED_TOGETHER_S, self._publish_all)
        self._unpublished.append(position)
        return True

    def heard(self, positions: Iterable[Position]) -> list[Position]:
        """Another process has these, and will write them; return those that are further than what is known."""
        further = []
        for position in positions:
            if position.ordinal > self.furthest(position):
                self._elsewhere[0].setdefault(position.user_id, {})[position.room_id] = position
                further.append(position)
        return further

    def furthest(self, place: Position) -> int:
        """What is known of the same person in the same room, and may not be written yet."""
        known = (positions.get(place.user_id, {}).get(place.room_id) for positions in self._all())
        return max((position.ordinal for position in known if position is not None), default=0)

    def of_user(self, user_id: int) -> dict[int, int]:
        """By room, how far somebody has read, where it may not be written yet."""
        ordinals: dict[int, int] = {}
        for positions in self._all():
            for room_id, position in positions.get(user_id, {}).items():
                ordinals[room_id] = max(position.ordinal, ordinals.get(room_id, 0))
        return ordinals

    def gone(self, user_id: int) -> None:
        """The user's last connection here is over: what is known of them is written now, with others that go."""
        if user_id in self._unwritten:
            self._write_later(GONE_TOGETHER_S)

    def is_unwritten(self, user_id: int) -> bool:
        return user_id in self._unwritten or user_id in self._being_written

    async def heard_ones_written(self) -> None:
        """Write what other processes have said too: they do it later, or not at all if they are gone."""
        elsewhere, self._elsewhere = self._elsewhere, [{}, {}]
        for position in (one for heard in elsewhere for of_user in heard.values() for one in of_user.values()):
            if position.ordinal > self.furthest(position):
                self._unwritten.setdefault(position.user_id, {})[position.room_id] = position
        await self.written()

    async def written(self) -> None:
        """Write everything that is known by now. What could not be written stays, for the next time."""
        async with self._writing:
            self._being_written, self._unwritten = self._unwritten, {}
            try:
                if self._being_written:
                    await self._write(_ordinals(self._being_written))
            except Refusal:
                self._take_back()
            except Exception:
                self._take_back()
                logger.exception("the reading positions could not be written")
            finally:
                self._being_written = {}

    def _all(self) -> tuple[Positions, ...]:
        return (self._unwritten, self._being_written, *self._elsewhere)

    def _publish_all(self) -> None:
        positions, self._unpublished = self._unpublished, []
        self._publish(positions)

    def _take_back(self) -> None:
        for user_id, of_user in self._being_written.items():
            self._unwritten[user_id] = of_user | self._unwritten.get(user_id, {})

    def _write_later(self, after_s: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + after_s
        if self._soon is None or self._soon.when() > due:
            if self._soon is not None:
                self._soon.cancel()
            self._soon = loop.call_at(due, self._write_now)

    def _write_now(self) -> None:
        self._soon = None
        self._age_elsewhere()
        self._write_later(limits.READ_POSITIONS_WRITTEN_S)
        task = asyncio.create_task(self.written())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _age_elsewhere(self) -> None:
        """After two of their own intervals the others have written what they said."""
        now = asyncio.get_running_loop().time()
        if now - self._aged_at >= 2 * limits.READ_POSITIONS_WRITTEN_S:
            self._aged_at = now
            self._elsewhere = [{}, self._elsewhere[0]]


def _ordinals(positions: Positions) -> dict[Place, int]:
    return {position.place: position.ordinal for of_user in positions.values() for position in of_user.values()}
