"""What happened, as those who took part wrote it down: the evidence that checker.py judges. Times are of one clock."""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Message = dict[str, Any]  # one `message` of the wire: the whole state

now = time.monotonic

FOREVER = float("inf")
FRAMES_KEPT = 40


@dataclass(eq=False)
class Write:
    """Something that somebody wanted written, and what came of it. `number` counts this person's writes."""

    kind: str  # post, edit, delete, react
    author: str
    room: str
    number: int
    nonce: str = ""
    seq: int = 0
    text: str = ""
    emoji: str = ""
    on: bool = True
    sent: list[tuple[float, int]] = field(default_factory=list)  # when, and to which server
    acks: list[Message] = field(default_factory=list)
    acked_at: float = FOREVER
    refused: str = ""

    @property
    def is_settled(self) -> bool:
        return bool(self.acks or self.refused)

    def frame(self) -> dict[str, Any]:
        """The verb, without an id."""
        fields: dict[str, dict[str, Any]] = {
            "post": {"text": self.text},
            "edit": {"seq": self.seq, "text": self.text},
            "delete": {"seq": self.seq},
            "react": {"seq": self.seq, "emoji": self.emoji, "on": self.on},
        }
        return {"type": self.kind, "room": self.room, "nonce": self.nonce, **fields[self.kind]}

    def acknowledge(self, ack: Message) -> None:
        self.acked_at = min(self.acked_at, now())
        self.acks.append(ack)


class Shown(NamedTuple):
    """A message appeared before somebody's eyes for the first time since they (re)loaded the room."""

    at: float
    seq: int
    load: int  # counts the times the room was loaded afresh
    how: str  # live, page, history


@dataclass
class Span:
    """A time during which somebody was caught up in every room, awake, on one server."""

    began: float
    server: int
    ended: float = FOREVER

    def holds(self, start: float, end: float) -> bool:
        return self.began <= start and end <= self.ended


@dataclass
class Blackout:
    """From the close of a connection until its owner was caught up again."""

    closed_at: float
    server: int
    code: int
    ended: float = FOREVER
    tries: int = 0


class Heard(NamedTuple):
    """Somebody was told that a name came into a room, or left it."""

    at: float
    room: str
    name: str
    is_here: bool


class Roster(NamedTuple):
    """Who is in a room, as the answer to a join says: the one before it no longer counts."""

    at: float
    room: str
    names: frozenset[str]


@dataclass
class View:
    """What one person ended up with in one room."""

    shown: list[Shown] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)
    head: int = 0
    online: set[str] = field(default_factory=set)
    is_live: bool = False


@dataclass
class Story:
    """One person's evidence."""

    name: str
    writes: list[Write] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=lambda: defaultdict(View))
    spans: list[Span] = field(default_factory=list)
    blackouts: list[Blackout] = field(default_factory=list)
    rosters: list[Roster] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    errors: list[tuple[float, str, str]] = field(default_factory=list)  # when, code, message
    frozen: list[tuple[float, float]] = field(default_factory=list)
    sent_away: tuple[float, int] | None = None
    died_at: float = FOREVER
    tail: deque[tuple[float, Message]] = field(default_factory=lambda: deque(maxlen=FRAMES_KEPT))
    gaps: int = 0
    resyncs: int = 0
    read: dict[str, int] = field(default_factory=dict)  # by room, the furthest ordinal that this person said
    typed: dict[str, float] = field(default_factory=dict)  # by room, when this person first said that they type
    saw_typing: dict[tuple[str, str], float] = field(default_factory=dict)  # by room and name, when first
    said: Counter[str] = field(default_factory=Counter)  # verbs that have no answer

    def catches_up(self, server: int) -> None:
        if not self.spans or self.spans[-1].ended != FOREVER:
            self.spans.append(Span(now(), server))
        if self.blackouts and self.blackouts[-1].ended == FOREVER:
            self.blackouts[-1].ended = now()

    def loses(self, server: int | None, code: int) -> None:
        """A connection to that server is over; None: it was never there."""
        self.is_away()
        if self.blackouts and self.blackouts[-1].ended == FOREVER:
            self.blackouts[-1].tries += 1
        elif server is not None:
            self.blackouts.append(Blackout(now(), server, code))

    def is_away(self) -> None:
        if self.spans and self.spans[-1].ended == FOREVER:
            self.spans[-1].ended = now()

    def says(self, verb: Message, ordinal: int = 0) -> None:
        """A verb that has no answer. It is written down before it is sent, so that nobody can hear of it earlier."""
        self.said[verb["type"]] += 1
        if verb["type"] == "read":
            self.read[verb["room"]] = max(self.read.get(verb["room"], 0), ordinal)
        elif verb["type"] == "typing":
            self.typed.setdefault(verb["room"], now())

    def sees_typing(self, event: Message) -> None:
        for name in event.get("names", ()):
            self.saw_typing.setdefault((event["room"], name), now())

    def is_shown(self, room: str, names: Sequence[str]) -> None:
        """All who are in the room, in the answer to a join."""
        self.views[room].online = set(names)
        self.rosters.append(Roster(now(), room, frozenset(names)))

    def hears_presence(self, event: Message) -> None:
        """Who came and who went."""
        joined, left = event.get("joined", ()), event.get("left", ())
        online = self.views[event["room"]].online
        online -= set(left)
        online |= set(joined)
        self.heard += [Heard(now(), event["room"], name, True) for name in joined]
        self.heard += [Heard(now(), event["room"], name, False) for name in left]


@dataclass
class Strike:
    """One fault, while it lasted. It touches servers by number, people by name, `valkey` or `database`."""

    kind: str
    began: float
    touched: frozenset[int | str]
    note: str = ""
    ended: float = FOREVER

    def overlaps(self, start: float, end: float) -> bool:
        return self.began <= end and start <= self.ended


class Row(NamedTuple):
    """A message as the database keeps it."""

    seq: int
    version: int
    author: str
    nonce: str
    text: str
    is_edited: bool
    is_deleted: bool
    reactions: dict[str, list[str]]
    ordinal: int = 0


@dataclass
class Kept:
    """The database at the end. Rows in a list: a broken one may have two at one place. `read`: by room and name."""

    rooms: dict[str, list[Row]]
    heads: dict[str, int]
    read: dict[tuple[str, str], int] = field(default_factory=dict)


class States:
    """Every state that anybody was shown, by room and number: a number has one state, whoever tells it."""

    def __init__(self) -> None:
        self.by_number: dict[tuple[str, int], Message] = {}
        self.told_by: dict[tuple[str, int], str] = {}
        self.contradictions: list[tuple[Message, str, Message, str]] = []

    def note(self, message: Message, name: str) -> Message:
        """Return the state as it was first told."""
        key = (message["room"], message["version"])
        known = self.by_number.setdefault(key, message)
        if known is message:
            self.told_by[key] = name
        elif known != message:
            self.contradictions.append((known, self.told_by[key], message, name))
            return message
        return known


@dataclass
class Evidence:
    """Everything that is known about a run when it is over."""

    stories: list[Story]
    kept: Kept
    states: States
    strikes: list[Strike] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)  # when this program itself did not get on
    online: dict[int, dict[str, set[str]]] = field(default_factory=dict)  # by server, by room
    logs: str = ""
    began: float = 0.0
    ended: float = FOREVER
