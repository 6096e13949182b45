"""The one transaction that changes messages: check, number, write, all or nothing. The only writer of message rows.

A room's row is locked first, so that whoever holds it alone gives out its numbers: the order of commits is the order of
numbers and there are no holes. Plain SQL that SQLite and PostgreSQL both speak: the ORM would cost more than the
database here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db import DataError, IntegrityError, connection
from django.db.models import Min

from chat import database, limits
from chat.models import ChangeNonce, Membership, Message
from chat.rooms.permissions import may_see
from chat.wire import codec, events
from chat.wire.change import Change
from chat.wire.dialects import PostBinary
from chat.wire.refusals import NO_SUCH_ROOM, Refusal
from chat.wire.verbs import Delete, Edit, Post, React

from .rows import COLUMNS, state

Amendment = Edit | Delete | React
Write = Post | PostBinary | Amendment


class Entry(NamedTuple):
    """What somebody wants written."""

    user_id: int
    verb: Write


class Receipt(NamedTuple):
    """Where an entry stands on the room's number line. `is_repeat`: it stood there before."""

    room: str
    seq: int
    version: int
    is_repeat: bool


class RoomChanges(NamedTuple):
    """What a transaction changed in one room, in order."""

    room_id: int
    room: str
    changes: list[Change]


Outcome = Receipt | Refusal

NO_SUCH_MESSAGE = ("not_found", "There is no such message.")
NOT_YOURS = ("forbidden", "This message is not yours.")
BANNED = ("forbidden", "You may not write in this room.")
DISABLED = ("forbidden", "This account is disabled.")
TOO_MANY_REACTIONS = ("forbidden", "This message has as many reactions as it can have.")


def write(entries: Sequence[Entry]) -> tuple[list[Outcome], list[RoomChanges]]:
    """Write all entries in one transaction. One that the database cannot take does not spoil the others."""
    try:
        with database.transaction() as statements:
            return _Transaction(entries, statements).run()
    except (DataError, IntegrityError):
        if len(entries) == 1:
            return [Refusal("internal", "This message cannot be kept.")], []
    outcomes, changed = [], []
    for entry in entries:
        outcome, change = write([entry])
        outcomes += outcome
        changed += change
    return outcomes, changed


def forget_old_nonces() -> None:
    """Of changes. No client sends one again after so long; those of posts stand in the messages and stay."""
    since = codec.now() - timedelta(seconds=limits.CHANGE_NONCES_KEPT_S)
    ChangeNonce.objects.filter(created_at__lt=since).delete()


class _Room:
    """A locked room while its numbers are given out."""

    def __init__(self, id: int, slug: str, is_private: bool, head: int):
        self.id, self.slug, self.is_private, self.head = id, slug, is_private, head
        self.changes: list[Change] = []

    def next(self) -> int:
        self.head += 1
        return self.head


class _Transaction:
    """One batch. `run` is the story; each step is one statement for all entries."""

    def __init__(self, entries: Sequence[Entry], statements: database.Statements):
        self._entries = entries
        self._select = statements.select
        self._execute_many = statements.execute_many
        self._users = {entry.user_id for entry in entries}
        self._now = codec.now()
        self._inserts: list[tuple[Any, ...]] = []
        self._updates: list[tuple[Any, ...]] = []
        self._nonces: list[tuple[Any, ...]] = []

    def run(self) -> tuple[list[Outcome], list[RoomChanges]]:
        self._lock_rooms()
        self._read_people()
        self._read_nonces()
        self._read_nonces_of_changes()
        self._read_targets()
        self._count_recent_posts()
        outcomes = [self._enter(entry) for entry in self._entries]
        self._insert()
        self._update()
        self._insert_nonces()
        self._move_heads()
        changed = [RoomChanges(room.id, room.slug, room.changes) for room in self._rooms.values() if room.changes]
        return outcomes, changed

    # What is known before

    def _lock_rooms(self) -> None:
        slugs = sorted({entry.verb.room for entry in self._entries})
        lock = "" if connection.vendor == "sqlite" else " ORDER BY id FOR UPDATE"
        rows = self._select(
            f"SELECT id, slug, is_private, head FROM chat_room WHERE slug IN ({_marks(slugs)}){lock}", slugs
        )
        self._rooms = {slug: _Room(id, slug, is_private, head) for id, slug, is_private, head in rows}
        self._room_ids = [room.id for room in self._rooms.values()]

    def _read_people(self) -> None:
        rows = self._select(
            f"SELECT id, username, is_active FROM accounts_user WHERE id IN ({_marks(self._users)})", self._users
        )
        self._people = {id: (name, is_active) for id, name, is_active in rows}
        self._roles = {
            (room_id, user_id): role
            for room_id, user_id, role in self._select(
                "SELECT room_id, user_id, role FROM chat_membership"
                f" WHERE room_id IN ({_marks(self._room_ids)}) AND user_id IN ({_marks(self._users)})",
                [*self._room_ids, *self._users],
            )
        }

    def _read_nonces(self) -> None:
        """Who said the same before gets the first answer again (promise G2)."""
        nonces = {entry.verb.nonce for entry in self._entries if isinstance(entry.verb, Post | PostBinary)}
        rows = self._select(
            "SELECT room_id, author_id, nonce, seq FROM chat_message"
            f" WHERE room_id IN ({_marks(self._room_ids)}) AND author_id IN ({_marks(self._users)})"
            f" AND nonce IN ({_marks(nonces)})",
            [*self._room_ids, *self._users, *nonces],
        )
        self._said: dict[tuple[int, int, str], int] = {
            (room_id, user_id, nonce): seq for room_id, user_id, nonce, seq in rows
        }

    def _read_nonces_of_changes(self) -> None:
        """A late copy, from a process that stood still, must not undo what was changed since (promise G2).

        They are apart from those of posts, so that posts, which are many, do not have to look here as well.
        """
        self._amended: dict[tuple[int, int, str], tuple[int, int]] = {}
        nonces = {entry.verb.nonce for entry in self._entries if isinstance(entry.verb, Amendment) and entry.verb.nonce}
        if nonces:
            rows = self._select(
                "SELECT room_id, author_id, nonce, seq, version FROM chat_changenonce"
                f" WHERE room_id IN ({_marks(self._room_ids)}) AND author_id IN ({_marks(self._users)})"
                f" AND nonce IN ({_marks(nonces)})",
                [*self._room_ids, *self._users, *nonces],
            )
            self._amended = {
                (room_id, user_id, nonce): (seq, version) for room_id, user_id, nonce, seq, version in rows
            }

    def _read_targets(self) -> None:
        """The messages that are to be changed, as they are."""
        self._targets: dict[tuple[str, int], tuple[int, events.Message]] = {}
        wanted = {entry.verb.seq for entry in self._entries if isinstance(entry.verb, Amendment)}
        if wanted:
            rows = Message.objects.filter(room__in=self._room_ids, seq__in=wanted)
            for author_id, *row in rows.values_list("author_id", *COLUMNS):
                message = state(tuple(row))
                self._targets[message.room, message.seq] = (author_id, message)

    def _count_recent_posts(self) -> None:
        """How much each author said lately, whichever process took it: the limit holds across them all."""
        self._recent: defaultdict[int, int] = defaultdict(int)
        if settings.CHAT_POSTS_PER_S:
            self._window = timedelta(seconds=limits.POSTS_BURST / settings.CHAT_POSTS_PER_S)
            self._recent.update(
                self._select(
                    "SELECT author_id, count(*) FROM chat_message"
                    f" WHERE author_id IN ({_marks(self._users)}) AND created_at > %s GROUP BY author_id",
                    [*self._users, _moment(self._now - self._window)],
                )
            )

    # One entry after the other

    def _enter(self, entry: Entry) -> Outcome:
        try:
            room = self._allowed_room(entry)
            match entry.verb:
                case Post() | PostBinary() as verb:
                    return self._post(entry.user_id, room, verb)
                case verb:
                    return self._amend_once(entry.user_id, room, verb)
        except Refusal as refusal:
            return refusal

    def _allowed_room(self, entry: Entry) -> _Room:
        room = self._rooms.get(entry.verb.room)
        if room is None:
            raise Refusal(*NO_SUCH_ROOM)
        if not may_see(room.is_private, self._roles.get((room.id, entry.user_id))):
            raise Refusal(*(NO_SUCH_ROOM if room.is_private else BANNED))
        if not self._people.get(entry.user_id, ("", False))[1]:
            raise Refusal(*DISABLED)
        return room

    def _post(self, user_id: int, room: _Room, verb: Post | PostBinary) -> Receipt:
        identity = (room.id, user_id, verb.nonce)
        if identity in self._said:
            seq = self._said[identity]
            return Receipt(room.slug, seq, seq, is_repeat=True)
        self._spend(user_id)
        message, blob = self._new_message(user_id, room, verb)
        self._said[identity] = message.seq
        self._targets[room.slug, message.seq] = (user_id, message)
        room.changes.append(Change(message.version, message.seq, codec.encode(message), blob))
        return Receipt(room.slug, message.seq, message.version, is_repeat=False)

    def _spend(self, user_id: int) -> None:
        if settings.CHAT_POSTS_PER_S and self._recent[user_id] >= limits.POSTS_BURST:
            raise Refusal("rate_limited", "You write too fast.", self._next_place_s(user_id))
        self._recent[user_id] += 1

    def _next_place_s(self, user_id: int) -> float:
        """When the oldest of the posts that fill the window leaves it."""
        lately = Message.objects.filter(author=user_id, created_at__gt=self._now - self._window)
        oldest = lately.aggregate(oldest=Min("created_at"))["oldest"] or self._now
        return (oldest + self._window - self._now).total_seconds()

    def _new_message(self, user_id: int, room: _Room, verb: Post | PostBinary) -> tuple[events.Message, bytes | None]:
        seq = room.next()
        blob = verb.data if isinstance(verb, PostBinary) else None
        message = events.Message(
            room=room.slug,
            seq=seq,
            version=seq,
            author=self._people[user_id][0],
            nonce=verb.nonce,
            text=verb.text if isinstance(verb, Post) else f"[{len(verb.data):,} bytes]",
            created_at=self._now,
            binary=None if blob is None else len(blob),
        )
        self._inserts.append(
            (room.id, user_id, seq, seq, verb.nonce, message.text, message.binary, "{}", _moment(self._now))
        )
        return message, blob

    def _amend_once(self, user_id: int, room: _Room, verb: Amendment) -> Receipt:
        """With a nonce, the first answer stands: also the one that it was so already."""
        if verb.nonce is None:
            return self._amend(user_id, room, verb)
        identity = (room.id, user_id, verb.nonce)
        if identity in self._amended:
            return Receipt(room.slug, *self._amended[identity], is_repeat=True)
        receipt = self._amend(user_id, room, verb)
        self._amended[identity] = (receipt.seq, receipt.version)
        self._nonces.append((*identity, receipt.seq, receipt.version, _moment(self._now)))
        return receipt

    def _amend(self, user_id: int, room: _Room, verb: Amendment) -> Receipt:
        match verb:
            case Edit():
                return self._edit(user_id, room, verb)
            case Delete():
                return self._delete(user_id, room, verb)
            case React():
                return self._react(user_id, room, verb)

    def _edit(self, user_id: int, room: _Room, verb: Edit) -> Receipt:
        author_id, message = self._target(room, verb.seq)
        if author_id != user_id:
            raise Refusal(*NOT_YOURS)
        if message.deleted:
            raise Refusal(*NO_SUCH_MESSAGE)
        if message.binary is not None:
            raise Refusal("forbidden", "A binary message has no text to edit.")
        if message.text == verb.text:
            return _repeat(message)
        return self._change(room, author_id, message, text=verb.text, edited_at=self._now)

    def _delete(self, user_id: int, room: _Room, verb: Delete) -> Receipt:
        """The row stays, empty: its place and its numbers are part of the conversation."""
        author_id, message = self._target(room, verb.seq)
        if author_id != user_id and self._roles.get((room.id, user_id)) != Membership.Role.MODERATOR:
            raise Refusal(*NOT_YOURS)
        if message.deleted:
            return _repeat(message)
        return self._change(room, author_id, message, text="", reactions={}, binary=None, deleted=True)

    def _react(self, user_id: int, room: _Room, verb: React) -> Receipt:
        author_id, message = self._target(room, verb.seq)
        if message.deleted:
            raise Refusal(*NO_SUCH_MESSAGE)
        name = self._people[user_id][0]
        reactions = {emoji: list(names) for emoji, names in message.reactions.items()}
        if (name in reactions.get(verb.emoji, ())) == verb.on:
            return _repeat(message)
        if verb.on:
            _add_reaction(reactions, verb.emoji, name)
        else:
            _remove_reaction(reactions, verb.emoji, name)
        return self._change(room, author_id, message, reactions=reactions)

    def _target(self, room: _Room, seq: int) -> tuple[int, events.Message]:
        if (target := self._targets.get((room.slug, seq))) is None:
            raise Refusal(*NO_SUCH_MESSAGE)
        return target

    def _change(self, room: _Room, author_id: int, message: events.Message, **changed: Any) -> Receipt:
        """Give the message its next number and its new state."""
        new = msgspec.structs.replace(message, version=room.next(), **changed)
        self._targets[room.slug, new.seq] = (author_id, new)
        self._updates.append(
            (
                new.version,
                new.text,
                new.binary,
                json.dumps(new.reactions),
                _moment(new.edited_at),
                _moment(self._now if new.deleted else None),
                room.id,
                new.seq,
            )
        )
        room.changes.append(Change(new.version, new.seq, codec.encode(new)))
        return Receipt(room.slug, new.seq, new.version, is_repeat=False)

    # All of it at once

    def _insert(self) -> None:
        if self._inserts:
            self._execute_many(
                "INSERT INTO chat_message"
                " (room_id, author_id, seq, version, nonce, text, binary_bytes, reactions, created_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                self._inserts,
            )

    def _update(self) -> None:
        if self._updates:
            self._execute_many(
                "UPDATE chat_message SET version = %s, text = %s, binary_bytes = %s, reactions = %s,"
                " edited_at = %s, deleted_at = %s WHERE room_id = %s AND seq = %s",
                self._updates,
            )

    def _insert_nonces(self) -> None:
        if self._nonces:
            self._execute_many(
                "INSERT INTO chat_changenonce (room_id, author_id, nonce, seq, version, created_at)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                self._nonces,
            )

    def _move_heads(self) -> None:
        moved = [(room.head, room.id) for room in self._rooms.values() if room.changes]
        if moved:
            self._execute_many("UPDATE chat_room SET head = %s WHERE id = %s", moved)


def _repeat(message: events.Message) -> Receipt:
    return Receipt(message.room, message.seq, message.version, is_repeat=True)


def _add_reaction(reactions: dict[str, list[str]], emoji: str, name: str) -> None:
    names = reactions.setdefault(emoji, [])
    if len(reactions) > limits.REACTIONS_PER_MESSAGE or len(names) >= limits.NAMES_PER_REACTION:
        raise Refusal(*TOO_MANY_REACTIONS)
    names.append(name)


def _remove_reaction(reactions: dict[str, list[str]], emoji: str, name: str) -> None:
    reactions[emoji].remove(name)
    if not reactions[emoji]:
        del reactions[emoji]


def _marks(values: Iterable[Any]) -> str:
    """As many placeholders as there are values; NULL, which nothing equals, for none."""
    return ", ".join(["%s"] * len(list(values))) or "NULL"


def _moment(moment: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
