"""One room as one person sees it, kept by the rules of the page's room.js. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from rig.timeline import with_reaction

from .history import Message, Shown, now


class Phase(Enum):
    AWAY = "away"
    ASKING = "asking"
    LIVE = "live"


class Timeline:
    """Each message at its `seq` in its newest `version`; `version` is the position: every change up to it is here.

    `noted(message)` is called with every state that the server tells, and gives back the one to keep.
    """

    def __init__(self, room: str, noted: Callable[[Message], Message]):
        self.room = room
        self.messages: dict[int, Message] = {}
        self.version: int | None = None
        self.shown: list[Shown] = []
        self.has_earlier = False
        self.gaps = 0
        self.resyncs = 0
        self.phase = Phase.AWAY
        self._noted = noted
        self._load = 0
        self._epoch: str | None = None
        self._question: dict[str, Any] | None = None
        self._from = 0
        self._held: dict[int, dict[str, Any]] = {}
        self._early: dict[int, list[dict[str, Any]]] = {}
        self._unshown: set[int] = set()

    @property
    def is_live(self) -> bool:
        return self.phase is Phase.LIVE

    def next_join(self) -> dict[str, Any] | None:
        """What to ask to be up to date; None when nothing is missing or the question has been asked."""
        if self.phase is not Phase.AWAY:
            return None
        self.phase = Phase.ASKING
        self._question = {"room": self.room}
        if self.version is not None:
            self._question |= {"after": self.version, "epoch": self._epoch}
        return self._question

    def join_failed(self, question: dict[str, Any]) -> None:
        if question is self._question:
            self._settle(Phase.AWAY)

    def joined(self, page: dict[str, Any]) -> None:
        """A page, asked for or not; only an answer (it has an `id`) settles the question, others show a hole."""
        if self.version is not None and page["epoch"] != self._epoch:
            self.resync()
            return
        after = page.get("after")
        is_connected = after is None if self.version is None else after is not None and after <= self.version
        if is_connected:
            self._merge(page, is_first=after is None)
        is_all = is_connected and not page.get("more")
        if "id" in page:
            self._settle(Phase.LIVE if is_all else Phase.AWAY)
        elif self.is_live and not is_all:
            self._settle(Phase.AWAY)
        if self.is_live:
            self._show("page")
            self._release()

    def receive(self, event: dict[str, Any]) -> None:
        """A live event, a new state or a reaction: what follows is shown, what is further ahead held until it does.

        It is complete from the number `from` on, or from the one before it.
        """
        if event["type"] == "message":
            state = self._noted({key: value for key, value in event.items() if key != "from"})
            event = state | {"from": event["from"]} if "from" in event else state
        if self.version is not None and event["version"] <= self.version:
            return
        self._held[event["version"]] = event
        if self.is_live:
            self._release()

    def earlier(self, page: dict[str, Any]) -> None:
        """A page of history."""
        self.has_earlier = bool(page["more"] and page["messages"])
        for message in page["messages"]:
            self._put(message)
            self._from = min(self._from, message["seq"])
        self._show("history")

    def resync(self) -> None:
        self.resyncs += 1
        self.reload()

    def reload(self) -> None:
        """Forget everything, as a page that is loaded again."""
        self.messages, self.version, self._epoch = {}, None, None
        self.has_earlier = False
        self._load += 1
        self._unshown.clear()
        self.disconnected()

    def disconnected(self) -> None:
        self._held.clear()
        self._early.clear()
        self._settle(Phase.AWAY)

    @property
    def oldest(self) -> int:
        """What is shown begins here. A change of something older is kept, and not shown before its page has come."""
        return self._from

    def _merge(self, page: dict[str, Any], is_first: bool) -> None:
        if is_first:
            self._epoch = page["epoch"]
            self.has_earlier = page.get("earlier", False)
            self._from = min((message["seq"] for message in page["messages"]), default=0)
        for message in page["messages"]:
            self._put(message)
        self.version = max(self.version or 0, page["head"])

    def _settle(self, phase: Phase) -> None:
        self.phase, self._question = phase, None

    def _release(self) -> None:
        for version in sorted(self._held):
            assert self.version is not None
            if self._held[version].get("from", version - 1) > self.version:
                self.gaps += 1
                self._settle(Phase.AWAY)
                return
            event = self._held.pop(version)
            if version > self.version:
                self.version = version
                self._follow(event)
                self._show("live")

    def _follow(self, event: dict[str, Any]) -> None:
        if event["type"] == "message":
            self._put({key: value for key, value in event.items() if key != "from"}, is_noted=True)
        else:
            self._react(event)

    def _react(self, reaction: dict[str, Any]) -> None:
        """Of a message that is not here a reaction is kept until its page comes."""
        known = self.messages.get(reaction["seq"])
        if known is None:
            self._early.setdefault(reaction["seq"], []).append(reaction)
        elif known["version"] < reaction["version"]:
            state = {key: value for key, value in with_reaction(known, reaction).items() if value != {}}
            self.messages[reaction["seq"]] = self._noted(state)

    def _put(self, message: Message, is_noted: bool = False) -> None:
        message = message if is_noted else self._noted(message)
        known = self.messages.get(message["seq"])
        if known is None:
            self._unshown.add(message["seq"])
        if known is None or known["version"] < message["version"]:
            self.messages[message["seq"]] = message
        for reaction in self._early.pop(message["seq"], ()):
            self._react(reaction)

    def _show(self, how: str) -> None:
        """What came with one answer, or with several that belong together, appears at once, in order."""
        at = now()
        self.shown += [Shown(at, seq, self._load, how) for seq in sorted(self._unshown) if seq >= self._from]
        self._unshown = {seq for seq in self._unshown if seq < self._from}
