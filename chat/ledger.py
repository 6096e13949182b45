"""The one transaction that changes messages: check, number, write, all or nothing. The only writer of message rows.

A room's row is locked first, so that whoever holds it alone gives out its numbers: the order of commits is the order of
numbers and there are no holes. Plain SQL that SQLite and PostgreSQL both speak: the ORM would cost more than the database here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction

from . import conf, protocol
from .dialects import PostBinary
from .feed import Change
from .models import Membership
from .protocol import Message, Refusal

Write = protocol.Post | PostBinary


class Entry(NamedTuple):
    """What somebody wants written."""

    user_id: int
    verb: Write


class Receipt(NamedTuple):
    """Where an entry stands on the room's number line. `change` is None when it stood there before."""

    room: str
    seq: int
    version: int
    change: Change | None


class RoomChanges(NamedTuple):
    """What a transaction changed in one room, in order."""

    room_id: int
    room: str
    changes: list[Change]


Outcome = Receipt | Refusal

NO_SUCH_ROOM = Refusal("not_found", "There is no such room.")
BANNED = Refusal("forbidden", "You may not write in this room.")
DISABLED = Refusal("forbidden", "This account is disabled.")


def write(entries: Sequence[Entry]) -> tuple[list[Outcome], list[RoomChanges]]:
    """Write all entries in one transaction. One that the database cannot take does not spoil the others."""
    try:
        with transaction.atomic():
            return _Transaction(entries).run()
    except (DataError, IntegrityError):
        if len(entries) == 1:
            return [Refusal("internal", "This message cannot be kept.")], []
    outcomes, changed = [], []
    for entry in entries:
        outcome, change = write([entry])
        outcomes += outcome
        changed += change
    return outcomes, changed


class _Room:
    """A locked room while its numbers are given out."""

    def __init__(self, id: int, slug: str, is_private: bool, head: int):
        self.id, self.slug, self.is_private, self.head = id, slug, is_private, head
        self.was = head
        self.changes: list[Change] = []

    def next(self) -> int:
        self.head += 1
        return self.head


class _Transaction:
    """One batch. `run` is the story; each step is one statement for all entries."""

    def __init__(self, entries: Sequence[Entry]):
        self._entries = entries
        self._now = protocol.now()
        self._rows: list[tuple[Any, ...]] = []

    def run(self) -> tuple[list[Outcome], list[RoomChanges]]:
        with connection.cursor() as self._cursor:
            self._lock_rooms()
            self._read_people()
            self._read_nonces()
            self._count_recent_posts()
            outcomes = [self._enter(entry) for entry in self._entries]
            self._insert()
            self._move_heads()
        changed = [RoomChanges(room.id, room.slug, room.changes) for room in self._rooms.values() if room.changes]
        return outcomes, changed

    def _lock_rooms(self) -> None:
        slugs = sorted({entry.verb.room for entry in self._entries})
        lock = "" if connection.vendor == "sqlite" else " ORDER BY id FOR UPDATE"
        rows = self._select(
            f"SELECT id, slug, is_private, head FROM chat_room WHERE slug IN ({_marks(slugs)}){lock}", slugs
        )
        self._rooms = {slug: _Room(id, slug, is_private, head) for id, slug, is_private, head in rows}

    def _read_people(self) -> None:
        users = {entry.user_id for entry in self._entries}
        rows = self._select(f"SELECT id, username, is_active FROM chat_user WHERE id IN ({_marks(users)})", users)
        self._people = {id: (name, is_active) for id, name, is_active in rows}
        rooms = [room.id for room in self._rooms.values()]
        self._roles = {
            (room_id, user_id): role
            for room_id, user_id, role in self._select(
                "SELECT room_id, user_id, role FROM chat_membership"
                f" WHERE room_id IN ({_marks(rooms)}) AND user_id IN ({_marks(users)})",
                [*rooms, *users],
            )
        }

    def _read_nonces(self) -> None:
        """Who said the same before gets the first answer again (promise G2)."""
        rooms = [room.id for room in self._rooms.values()]
        users = {entry.user_id for entry in self._entries}
        nonces = {entry.verb.nonce for entry in self._entries}
        self._said = {
            (room_id, user_id, nonce): (seq, version)
            for room_id, user_id, nonce, seq, version in self._select(
                "SELECT room_id, author_id, nonce, seq, version FROM chat_message"
                f" WHERE room_id IN ({_marks(rooms)}) AND author_id IN ({_marks(users)}) AND nonce IN ({_marks(nonces)})",
                [*rooms, *users, *nonces],
            )
        }

    def _count_recent_posts(self) -> None:
        """How much each author said lately, whichever process took it: the limit holds across them all."""
        self._recent: defaultdict[int, int] = defaultdict(int)
        if settings.CHAT_POSTS_PER_S:
            users = {entry.user_id for entry in self._entries}
            since = self._now - timedelta(seconds=conf.POSTS_BURST / settings.CHAT_POSTS_PER_S)
            self._recent.update(
                self._select(
                    "SELECT author_id, count(*) FROM chat_message"
                    f" WHERE author_id IN ({_marks(users)}) AND created_at > %s GROUP BY author_id",
                    [*users, _moment(since)],
                )
            )

    def _enter(self, entry: Entry) -> Outcome:
        try:
            return self._post(entry)
        except Refusal as refusal:
            return refusal

    def _post(self, entry: Entry) -> Receipt:
        verb, room = entry.verb, self._allowed_room(entry)
        identity = (room.id, entry.user_id, verb.nonce)
        if identity in self._said:
            return Receipt(room.slug, *self._said[identity], change=None)
        self._spend(entry.user_id)
        seq = room.next()
        self._said[identity] = (seq, seq)
        change = self._new_message(entry, room, seq)
        room.changes.append(change)
        return Receipt(room.slug, seq, seq, change)

    def _allowed_room(self, entry: Entry) -> _Room:
        room = self._rooms.get(entry.verb.room)
        role = room and self._roles.get((room.id, entry.user_id))
        if room is None or (room.is_private and role in (None, Membership.Role.BANNED)):
            raise NO_SUCH_ROOM
        if role == Membership.Role.BANNED:
            raise BANNED
        if not self._people.get(entry.user_id, ("", False))[1]:
            raise DISABLED
        return room

    def _spend(self, user_id: int) -> None:
        if settings.CHAT_POSTS_PER_S and self._recent[user_id] >= conf.POSTS_BURST:
            raise Refusal("rate_limited", "You write too fast.", retry_after=1 / settings.CHAT_POSTS_PER_S)
        self._recent[user_id] += 1

    def _new_message(self, entry: Entry, room: _Room, seq: int) -> Change:
        verb = entry.verb
        blob = verb.data if isinstance(verb, PostBinary) else None
        message = Message(
            room=room.slug,
            seq=seq,
            version=seq,
            author=self._people[entry.user_id][0],
            nonce=verb.nonce,
            text=verb.text if isinstance(verb, protocol.Post) else f"[{len(verb.data):,} bytes]",
            created_at=self._now,
            binary=None if blob is None else len(blob),
        )
        self._rows.append(
            (
                room.id,
                entry.user_id,
                seq,
                seq,
                verb.nonce,
                message.text,
                message.binary,
                "{}",
                _moment(self._now),
            )
        )
        return Change(seq, protocol.encode(message), blob)

    def _insert(self) -> None:
        if self._rows:
            self._cursor.executemany(
                "INSERT INTO chat_message (room_id, author_id, seq, version, nonce, text, binary_bytes, reactions, created_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                self._rows,
            )

    def _move_heads(self) -> None:
        moved = [(room.head, room.id) for room in self._rooms.values() if room.head != room.was]
        if moved:
            self._cursor.executemany("UPDATE chat_room SET head = %s WHERE id = %s", moved)

    def _select(self, sql: str, values: Iterable[Any]) -> list[tuple[Any, ...]]:
        self._cursor.execute(sql, list(values))
        return self._cursor.fetchall()


def _marks(values: Iterable[Any]) -> str:
    """As many placeholders as there are values; NULL, which nothing equals, for none."""
    return ", ".join(["%s"] * len(list(values))) or "NULL"


def _moment(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
