"""One room's changes in number order, without I/O.

What came early is held, what is missing is known, what came twice is dropped; and the last few hundred stay
in memory for those who come back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from . import conf


class Change(NamedTuple):
    """A change on a room's number line, encoded once in the cluster. `blob`: the bytes of a binary frame."""

    version: int
    body: bytes
    blob: bytes | None = None


class Feed:
    """Puts changes in order. `head` is the last number delivered.

    The memory holds every change with a number above `reach`: enough for whoever has seen up to there.
    A change read from the database is a state: an edited message comes once, at its latest number.
    """

    def __init__(self, head: int, reach: int | None = None, recent: Iterable[Change] = ()):
        self.head = head
        self.reach = head if reach is None else reach
        self._recent = deque(recent)
        self._held: dict[int, Change] = {}

    @property
    def has_gap(self) -> bool:
        """Something came early: the numbers before it are missing."""
        return bool(self._held)

    def take(self, changes: Iterable[Change]) -> list[Change]:
        """Take what arrived, in any order and however often (nothing, too); return what is due now, in order."""
        for change in changes:
            if change.version > self.head:
                self._held[change.version] = change
        return self._release()

    def fill(self, states: Iterable[Change], head: int) -> list[Change]:
        """Take the states read from the database, complete up to `head`; return those that are new, in order."""
        new = sorted(state for state in states if state.version > self.head)
        self._remember(new)
        self.head = max(self.head, head)
        self._held = {version: held for version, held in self._held.items() if version > self.head}
        return new

    def since(self, after: int) -> list[Change] | None:
        """Every change after that number, or None where the memory does not reach back so far."""
        if not self.reach <= after <= self.head:
            return None
        return [change for change in self._recent if change.version > after]

    def _release(self) -> list[Change]:
        due: list[Change] = []
        while self._held and (change := self._held.pop(self.head + 1, None)):
            due.append(change)
            self.head = change.version
        self._remember(due)
        return due

    def _remember(self, changes: list[Change]) -> None:
        self._recent.extend(changes)
        while len(self._recent) > conf.RECENT_CHANGES:
            self.reach = self._recent.popleft().version
