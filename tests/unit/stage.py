"""A process of the chat without its surroundings: a database of a few lists, a courier of a few calls, no socket."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from accounts.identity import Person
from chat import limits
from chat.live import runtime as runtime_module
from chat.live.runtime import Runtime
from chat.messages import ledger, pages
from chat.messages.entries import Receipt, RoomChanges
from chat.rooms import reading, restored, visible
from chat.rooms.visible import RoomView
from chat.sockets.participant import Participant
from chat.wire import codec, events, verbs
from chat.wire.change import Change, Head, Page, fitting
from chat.wire.dialects import ChatV1
from chat.wire.refusals import NO_SUCH_ROOM, Refusal

LOBBY = 1
EPOCH = "abcdefgh"


class Store:
    """In place of the database: one room. While it is slow, it answers when the test says so; or it fails."""

    def __init__(self, messages: int = 0):
        self.changes: list[Change] = []
        self.is_there = self.is_own = True
        self.is_hello_full = False
        self.epoch, self.floor = EPOCH, 0
        self.read: dict[tuple[int, int], int] = {}
        self.asked: list[str] = []
        self.problem: Exception | None = None
        self._is_slow = False
        self._held: list[asyncio.Event] = []
        for number in range(messages):
            self.add(f"message {number + 1}")

    # For the test

    def add(self, text: str, author: str = "historian", nonce: str = "n") -> Change:
        """A new message, as if another process had written it."""
        number = self.head + 1
        ordinal = 1 + len({change.seq for change in self.changes})
        return self._append(number, number, ordinal, text, author, nonce)

    def edit(self, seq: int, text: str) -> Change:
        ordinal = next(change.ordinal for change in self.changes if change.seq == seq)
        return self._append(self.head + 1, seq, ordinal, text)

    def slow_down(self) -> None:
        self._is_slow = True

    def answer(self) -> None:
        self._is_slow = False
        for held in self._held:
            held.set()
        self._held.clear()

    @property
    def head(self) -> int:
        return self.changes[-1].version if self.changes else 0

    # In place of the queries

    def run(self, work, *args):
        """In place of `Threads.run`."""
        return asyncio.ensure_future(self._run(work, *args))

    async def _run(self, work, *args):
        self.asked.append(work.__name__)
        if self.problem is not None:
            raise self.problem
        answer = work(*args)  # what is slow is the way back: the answer is old when it comes
        if self._is_slow:
            self._held.append(asyncio.Event())
            await self._held[-1].wait()
        return answer

    def heads(self, room_ids):
        return [Head(LOBBY, self.epoch, self.head, self.floor, "Lobby")]

    def latest(self, room_id, limit):
        return self.heads([room_id])[0], self._states()[-limits.PRELOADED_CHANGES :]

    def changes_since(self, room_id, after, limit):
        page, more = fitting([state for state in self._states() if state.version > after], limit)
        return Page(page, page[-1].version if more else self.head, more)

    def before(self, room_id, seq, limit):
        older = sorted((state for state in self._states() if state.seq < seq), key=lambda state: state.seq)
        return Page(older[-limit:], seq, more=len(older) > limit)

    def room(self, user_id, slug):
        if slug != "lobby" or not self.is_there:
            raise Refusal(*NO_SUCH_ROOM)
        return self._view(user_id)

    def own_rooms(self, user_ids):
        return {user_id: [self._view(user_id)] if self._is_own(user_id) else [] for user_id in user_ids}

    def keep(self, positions):
        self.read |= positions

    def renew_mark(self):
        pass

    def ordinal_at(self, room_id, seq):
        return max((change.ordinal for change in self.changes if change.seq <= seq), default=0)

    def write(self, entries):
        changes = [self._write(entry.verb) for entry in entries]
        receipts = [Receipt("lobby", change.seq, change.version, False) for change in changes]
        return receipts, [RoomChanges(LOBBY, "lobby", changes)]

    def _write(self, verb):
        return self.edit(verb.seq, verb.text) if isinstance(verb, verbs.Edit) else self.add(verb.text, nonce=verb.nonce)

    def _is_own(self, user_id):
        """Who has read in a room has a place in it."""
        return self.is_there and not self.is_hello_full and (self.is_own or (user_id, LOBBY) in self.read)

    def _view(self, user_id):
        posts = len({change.seq for change in self.changes})
        return RoomView(LOBBY, "lobby", "Lobby", self.head, posts, self.read.get((user_id, LOBBY), 0))

    def _states(self):
        newest = {change.seq: change for change in self.changes}
        return sorted(newest.values(), key=lambda change: change.version)

    def _append(self, version, seq, ordinal, text, author="historian", nonce="n"):
        message = events.Message(
            room="lobby",
            seq=seq,
            ordinal=ordinal,
            version=version,
            author=author,
            nonce=nonce,
            text=text,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        self.changes.append(Change(version, seq, codec.encode(message), ordinal=ordinal))
        return self.changes[-1]

    def stand_in(self, monkeypatch) -> None:
        monkeypatch.setattr("chat.database.threads.Threads.run", lambda threads, work, *args: self.run(work, *args))
        queries = {"_heads": self.heads, "_latest": self.latest, "_changes": self.changes_since, "_before": self.before}
        for name, query in queries.items():
            monkeypatch.setattr(pages, name, query)
        monkeypatch.setattr(visible, "room", self.room)
        monkeypatch.setattr(visible, "own_rooms", self.own_rooms)
        monkeypatch.setattr(reading, "keep", self.keep)
        monkeypatch.setattr(reading, "ordinal_at", self.ordinal_at)
        monkeypatch.setattr(ledger, "write", self.write)
        monkeypatch.setattr(restored, "renew_mark", self.renew_mark)


class Courier:
    """In place of the link: hands every parcel to the other processes at once, or keeps it until the test delivers."""

    everywhere: list[Courier]

    def __init__(self, process, receive):
        self.process, self.receive = process, receive
        self.groups: set[str] = set()
        self.sent: list[tuple[str, str, dict]] = []
        self.is_cut = False
        self.everywhere.append(self)

    def publish(self, group, kind, parcel):
        self.sent.append((group, kind, parcel))
        if not self.is_cut:
            for other in self.everywhere:
                if other is not self:
                    other.receive(kind, {"from": self.process, **parcel})

    async def start(self):
        pass

    async def stop(self):
        pass

    async def add(self, group):
        self.groups.add(group)

    async def discard(self, group):
        self.groups.discard(group)


class Socket:
    """In place of a transport: remembers what was sent, and may have a reader who is too slow."""

    def __init__(self):
        self.frames = []
        self.code = None
        self.is_paused = False
        self.is_read = True

    def deliver(self, frame):
        if self.code is None:
            self.frames.append(frame)
        return self.is_read

    def hang_up(self, code):
        self.code = int(code) if self.code is None else self.code

    def pause(self):
        self.is_paused = True

    def resume(self):
        self.is_paused = False

    @property
    def events(self):
        return [json.loads(line) for frame in self.frames for line in frame.payload.split(b"\n")]

    def told(self, type):
        return [event for event in self.events if event["type"] == type]


class Process:
    """One process: its runtime, and the people who connect to it."""

    def __init__(self):
        self.runtime = Runtime()

    async def connect(self, name="alice", user_id=7, dialect=ChatV1, room=None, **person) -> tuple[Participant, Socket]:
        participant, socket = self.arrive(name, user_id, dialect, room, **person)
        await participant.open(accepted_at=1.0)
        return participant, socket

    def arrive(self, name="alice", user_id=7, dialect=ChatV1, room=None, **person) -> tuple[Participant, Socket]:
        """Somebody whose connection is not open yet."""
        socket = Socket()
        return Participant(self.runtime, Person(user_id, name, **person), dialect(room, name), socket), socket


def set_up(monkeypatch, store: Store) -> None:
    store.stand_in(monkeypatch)
    monkeypatch.setattr(Courier, "everywhere", [], raising=False)
    monkeypatch.setattr(runtime_module, "Link", Courier)


def said(verb: verbs.Verb) -> str:
    """A verb as a client would send it."""
    return codec.encode(verb).decode()
