"""One room as one client keeps it complete, by the rules of the page's room.js. No I/O."""

from __future__ import annotations

from enum import Enum

from rig.line import Event
from rig.timeline import Timeline, complete_from


class Phase(Enum):
    AWAY = "away"
    ASKING = "asking"
    LIVE = "live"


class Room(Timeline):
    """A timeline that shows no gap: what is further ahead is held until what is missing was asked for.

    `next_join` says what to ask, once; the answer goes to `joined`, or the question to `join_failed`.
    """

    def __init__(self, slug: str):
        super().__init__()
        self.slug = slug
        self.resyncs = 0
        self.has_earlier = False
        self.oldest = 0
        self._phase = Phase.AWAY
        self._question: Event | None = None
        self._held: dict[int, Event] = {}

    @property
    def is_live(self) -> bool:
        return self._phase is Phase.LIVE

    @property
    def wants_join(self) -> bool:
        """Something is missing, and nobody has been asked for it."""
        return self._phase is Phase.AWAY

    def next_join(self) -> Event | None:
        """What to ask to be up to date; None when nothing is missing or the question has been asked."""
        if not self.wants_join:
            return None
        self._phase = Phase.ASKING
        self._question = {"room": self.slug}
        if self.position is not None:
            self._question |= {"after": self.position, "epoch": self.epoch}
        return self._question

    def join_failed(self, question: Event) -> None:
        if question is self._question:
            self._settle(Phase.AWAY)

    def joined(self, page: Event) -> None:
        """A page, asked for or not; only an answer (it has an `id`) settles the question, others show a hole."""
        if self.position is not None and page["epoch"] != self.epoch:
            self.resync()
            return
        after = page.get("after")
        is_connected = after is None if self.position is None else after is not None and after <= self.position
        if is_connected:
            self._merge(page, is_first=after is None)
        is_all = is_connected and not page.get("more")
        if "id" in page:
            self._settle(Phase.LIVE if is_all else Phase.AWAY)
        elif self.is_live and not is_all:
            self._settle(Phase.AWAY)
        if self.is_live:
            self._appeared("page")
            self._release()

    def live(self, event: Event) -> None:
        """What follows is shown, what is further ahead is held until it does."""
        if self.position is None or event["version"] > self.position:
            self._held[event["version"]] = event
            if self.is_live:
                self._release()

    def earlier(self, page: Event) -> None:
        """A page of history."""
        self.has_earlier = bool(page["more"] and page["messages"])
        for message in page["messages"]:
            self._put(message)
            self.oldest = min(self.oldest, message["seq"])
        self._appeared("history")

    def resync(self) -> None:
        """The server cannot say what changed since: all that is known is worth nothing."""
        self.resyncs += 1
        self.clear()

    def clear(self) -> None:
        """Forget everything, as a page that is loaded again."""
        super().clear()
        self.has_earlier = False
        self.disconnected()

    def disconnected(self) -> None:
        """The line is cut; whatever was asked will not be answered."""
        self._held.clear()
        self._early.clear()
        self._settle(Phase.AWAY)

    def _merge(self, page: Event, is_first: bool) -> None:
        if is_first:
            self.has_earlier = page.get("earlier", False)
            self.oldest = min((message["seq"] for message in page["messages"]), default=0)
        self.page(page)

    def _settle(self, phase: Phase) -> None:
        self._phase, self._question = phase, None

    def _release(self) -> None:
        """Apply what was held, as far as it follows; a gap that is left is to be asked for."""
        for version in sorted(self._held):
            assert self.position is not None
            if complete_from(self._held[version]) > self.position:
                self.gaps += 1
                self._settle(Phase.AWAY)
                return
            event = self._held.pop(version)
            if version > self.position:
                self._follow(event)
                self._appeared("live")

    def _appeared(self, how: str) -> None:
        """What came live, with a page or with history is complete now: for those who look on."""
