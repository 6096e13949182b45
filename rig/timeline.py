"""One room as a client keeps it."""

from __future__ import annotations

from rig.line import Event


class Timeline:
    """One room as a client knows it: each message at its `seq` in its newest version, complete up to `position`.

    It takes whatever it is told, and counts what was missing before it.
    """

    def __init__(self) -> None:
        self.messages: dict[int, Event] = {}
        self.position: int | None = None
        self.epoch: str | None = None
        self.gaps = 0
        self._early: dict[int, list[Event]] = {}

    def page(self, joined: Event) -> None:
        """A page of the room: an answer, or what the server read from the database for everybody."""
        if self.position is not None and joined.get("after", 0) > self.position:
            self.gaps += 1
        for message in joined["messages"]:
            self._put(message)
        self.epoch = joined["epoch"]
        self.position = max(self.position or 0, joined["head"])

    def live(self, event: Event) -> None:
        """A message's new state, or a reaction, complete from its `from` on."""
        if self.position is None or event["version"] <= self.position:
            return
        self.gaps += complete_from(event) > self.position
        self._follow(event)

    def clear(self) -> None:
        self.messages.clear()
        self._early.clear()
        self.position = self.epoch = None

    @property
    def texts(self) -> list[str]:
        return [self.messages[seq]["text"] for seq in sorted(self.messages)]

    def _follow(self, event: Event) -> None:
        self.position = event["version"]
        if event["type"] == "message":
            self._put({field: value for field, value in event.items() if field != "from"})
        else:
            self._react(event)

    def _put(self, message: Event) -> None:
        known = self.messages.get(message["seq"])
        if known is None or known["version"] < message["version"]:
            self.messages[message["seq"]] = message
        for reaction in self._early.pop(message["seq"], ()):
            self._react(reaction)

    def _react(self, reaction: Event) -> None:
        """A reaction to a message that is not here is kept until its page comes."""
        known = self.messages.get(reaction["seq"])
        if known is None:
            self._early.setdefault(reaction["seq"], []).append(reaction)
        elif known["version"] < reaction["version"]:
            self._put(self._reacted(known, reaction))

    def _reacted(self, message: Event, reaction: Event) -> Event:
        return with_reaction(message, reaction)


def complete_from(event: Event) -> int:
    """The number from which on a live event contains every change: the one before it, unless it says another."""
    return event.get("from", event["version"] - 1)


def with_reaction(message: Event, reaction: Event) -> Event:
    """The state of a message after a reaction came or went, as a page shows it."""
    emoji, name = reaction["emoji"], reaction["name"]
    reactions = {other: list(names) for other, names in message.get("reactions", {}).items()}
    names = [other for other in reactions.pop(emoji, []) if other != name] + ([name] if reaction["on"] else [])
    if names:
        reactions[emoji] = names
    state = {**message, "version": reaction["version"], "reactions": reactions}
    return state if reactions else {field: value for field, value in state.items() if field != "reactions"}
