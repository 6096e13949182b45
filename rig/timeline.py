"""One room as a client keeps it."""

from __future__ import annotations

from rig.line import Event


class Timeline:
    """One room as a client knows it: each message at its `seq`, complete up to `position`."""

    def __init__(self) -> None:
        self.messages: dict[int, Event] = {}
        self.position: int | None = None
        self.epoch: str | None = None
        self.gaps = 0

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
        self.gaps += event.get("from", event["version"] - 1) > self.position
        if event["type"] == "message":
            self._put({field: value for field, value in event.items() if field != "from"})
        elif (known := self.messages.get(event["seq"])) is not None and known["version"] < event["version"]:
            self.messages[event["seq"]] = with_reaction(known, event)
        self.position = event["version"]

    def clear(self) -> None:
        self.messages.clear()
        self.position = self.epoch = None

    def _put(self, message: Event) -> None:
        known = self.messages.get(message["seq"])
        if known is None or known["version"] <= message["version"]:
            self.messages[message["seq"]] = message

    @property
    def texts(self) -> list[str]:
        return [self.messages[seq]["text"] for seq in sorted(self.messages)]


def with_reaction(message: Event, reaction: Event) -> Event:
    """The state of a message after a reaction came or went."""
    emoji, name = reaction["emoji"], reaction["name"]
    reactions = {other: list(names) for other, names in message.get("reactions", {}).items()}
    names = [other for other in reactions.pop(emoji, []) if other != name] + ([name] if reaction["on"] else [])
    if names:
        reactions[emoji] = names
    return {**message, "version": reaction["version"], "reactions": reactions}
