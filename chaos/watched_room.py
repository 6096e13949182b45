"""One room as one person sees it: what appeared when, and every state that the server told."""

from __future__ import annotations

from collections.abc import Callable

from rig.line import Event
from rig.room import Room

from .history import Message, Shown, now


class WatchedRoom(Room):
    """A room whose owner writes down what appears.

    `noted(message)` is called with every state that the server tells, and gives back the one to keep.
    """

    def __init__(self, slug: str, noted: Callable[[Message], Message]):
        super().__init__(slug)
        self.shown: list[Shown] = []
        self.latest: Message | None = None
        self._noted = noted
        self._load = 0
        self._unshown: set[int] = set()

    def page(self, joined: Event) -> None:
        super().page(self._with_noted(joined))

    def earlier(self, page: Event) -> None:
        super().earlier(self._with_noted(page))

    def live(self, event: Event) -> None:
        """A state is noted when it is told, shown or not."""
        if event["type"] == "message":
            state = self._noted({field: value for field, value in event.items() if field != "from"})
            event = state | {"from": event["from"]} if "from" in event else state
        super().live(event)

    def clear(self) -> None:
        super().clear()
        self.latest = None
        self._load += 1
        self._unshown.clear()

    def _put(self, message: Message) -> None:
        if message["seq"] not in self.messages:
            self._unshown.add(message["seq"])
        super()._put(message)

    def _reacted(self, message: Message, reaction: Event) -> Message:
        return self._noted(super()._reacted(message, reaction))

    def _with_noted(self, page: Event) -> Event:
        return page | {"messages": [self._noted(message) for message in page["messages"]]}

    def _appeared(self, how: str) -> None:
        """What belongs together appears at once, in order.

        A change of something older than what is shown is kept, and not shown before its page has come.
        """
        at = now()
        appeared = [seq for seq in sorted(self._unshown) if seq >= self.oldest]
        self.shown += [Shown(at, seq, self._load, how) for seq in appeared]
        self._unshown.difference_update(appeared)
        if appeared and (self.latest is None or appeared[-1] > self.latest["seq"]):
            self.latest = self.messages[appeared[-1]]
