"""One room's changes in number order, without I/O.

What came early is held, what is missing is known, what came twice is dropped; and the latest states of the last few
hundred changes stay in memory for those who come back.
"""

from __future__ import annotations

from collections.abc import Iterable

from chat import limits
from chat.wire.change import Change, fitting


class Feed:
    """Puts changes in order. `head` is the last number delivered.

    The memory holds the latest state of every message that changed after number `reach`: enough for whoever has seen up
    to there. Older states are forgotten with the change that replaces them: what was deleted is not told again.
    """

    def __init__(self, head: int, reach: int | None = None, recent: Iterable[Change] = ()):
        self.head = head
        self.reach = head if reach is None else reach
        self._recent: dict[int, Change] = {}
        self._recent_bytes = 0
        self._held: dict[int, Change] = {}
        self._remember(recent)

    @property
    def has_gap(self) -> bool:
        """Something came early: the numbers before it are missing."""
        return bool(self._held)

    def take(self, changes: Iterable[Change]) -> list[Change]:
        """Take what arrived, in any order and however often (nothing, too); return what is due now, in order."""
        for change in changes:
            if change.version > self.head:
                self._held[change.version] = change
        due: list[Change] = []
        while self._held and (change_due := self._held.pop(self.head + 1, None)):
            due.append(change_due)
            self.head = change_due.version
        self._remember(due)
        return due

    def fill(self, states: Iterable[Change], head: int) -> list[Change]:
        """Take the states read from the database, complete up to `head`; return those that are new, in order."""
        new = sorted(state for state in states if state.version > self.head)
        self._remember(new)
        self.head = max(self.head, head)
        self._held = {version: held for version, held in self._held.items() if version > self.head}
        return new

    def since(self, after: int) -> list[Change] | None:
        """What changed after that number, by number; None where the memory does not reach back so far."""
        if not self.reach <= after <= self.head:
            return None
        found = []
        for change in reversed(self._recent.values()):
            if change.version <= after:
                break
            found.append(change)
        return found[::-1]

    def ordinal_at(self, seq: int) -> int | None:
        """The ordinal of the last message at or before that place; None where the memory does not know."""
        if (known := self._recent.get(seq)) is not None:
            return known.ordinal
        before = [other for other in self._recent if self.reach < other <= seq]
        return self._recent[max(before)].ordinal if before else None

    def latest(self, count: int) -> list[Change] | None:
        """The last `count` messages by place, or as many as fit into a page.

        None where the memory does not hold so many for certain.
        """
        complete = sorted((seq for seq in self._recent if seq > self.reach), reverse=True)
        if len(complete) < count and self.reach > 0:
            return None
        page, _ = fitting(self._recent[seq] for seq in complete[:count])
        return page[::-1]

    def forget_held(self) -> None:
        """What was held cannot follow: the numbers before it are nowhere."""
        self._held.clear()

    def _remember(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._forget(change.seq)
            self._recent[change.seq] = change
            self._recent_bytes += len(change.body)
        while len(self._recent) > limits.RECENT_CHANGES or self._recent_bytes > limits.RECENT_LIMIT_BYTES:
            oldest = next(iter(self._recent.values()))
            self._forget(oldest.seq)
            self.reach = oldest.version

    def _forget(self, seq: int) -> None:
        if (known := self._recent.pop(seq, None)) is not None:
            self._recent_bytes -= len(known.body)
