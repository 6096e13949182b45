"""What a transaction knows before it decides: all of it read in one round trip.

Rooms are locked by the first statement; the others see what was committed before the lock was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from chat import limits
from chat.database import Query, Statements
from chat.wire import events
from chat.wire.change import Change

from . import rows
from .entries import Amendment, Entry, Posting

Identity = tuple[str, int, str]  # room, author's id, nonce

CLOCKS_DIFFER = timedelta(seconds=1)


class LockedRoom:
    """A room whose numbers are given out: every change takes the next number, every message the next ordinal."""

    def __init__(self, id: int, slug: str, is_private: bool, head: int, posts: int):
        self.id, self.slug, self.is_private = id, slug, is_private
        self.head, self.posts = head, posts
        self.changes: list[Change] = []

    def next_number(self) -> int:
        self.head += 1
        return self.head

    def next_ordinal(self) -> int:
        self.posts += 1
        return self.posts


class Author(NamedTuple):
    """Somebody who writes."""

    name: str
    is_active: bool


class Lately(NamedTuple):
    """How many messages somebody posted within the window of the rate, whichever process took them; and since when."""

    posted: int
    since: datetime


class Known:
    """Rooms by slug, people by id, roles by (room, user), and what was said and changed before, by nonce."""

    def __init__(self, entries: Sequence[Entry], now: datetime, statements: Statements):
        self.now = now
        self._entries = entries
        self._slugs = sorted({entry.verb.room for entry in entries})
        self._users = sorted({entry.user_id for entry in entries})
        self._of_rooms = statements.among("room.slug", self._slugs)
        self._among = statements.among
        locked, people, said, *optional = statements.together(
            [self._rooms(), self._people(), self._said(), *self._optional()]
        )
        self.rooms = {row[1]: LockedRoom(*row) for row in locked}
        self._take_people(people)
        self.said: dict[Identity, int] = {(room, user, nonce): seq for room, user, nonce, seq in said}
        self._take_optional(optional)

    def _take_people(self, people: list[tuple]) -> None:
        slugs = {room.id: room.slug for room in self.rooms.values()}
        self.people: dict[int, Author] = {}
        self.roles: dict[tuple[str, int], str] = {}
        self.reacted: set[tuple[str, int]] = set()
        for user_id, name, is_active, room_id, role, has_reacted in people:
            self.people[user_id] = Author(name, bool(is_active))
            if room_id in slugs:
                self.roles[slugs[room_id], user_id] = role
                if has_reacted:
                    self.reacted.add((slugs[room_id], user_id))

    def _optional(self) -> list[Query]:
        """What a plain post does not need."""
        queries = []
        if self._has_amendments():
            queries += [self._amended(), self._targets()]
        if settings.CHAT_POSTS_PER_S:
            queries.append(self._lately())
        return queries

    def _take_optional(self, answers: list[list[tuple]]) -> None:
        self.amended: dict[Identity, tuple[int, int]] = {}
        self.targets: dict[tuple[str, int], tuple[int, events.Message]] = {}
        self.lately: dict[int, Lately] = {}
        if self._has_amendments():
            amended, targets, *answers = answers
            self.amended = {(room, user, nonce): (seq, version) for room, user, nonce, seq, version in amended}
            for author_id, *row in targets:
                message = rows.message_of(tuple(row))
                self.targets[message.room, message.seq] = (author_id, message)
        for author_id, count, since in answers[0] if answers else ():
            self.lately[author_id] = Lately(count, rows.moment_of(since))

    def _has_amendments(self) -> bool:
        return any(isinstance(entry.verb, Amendment) for entry in self._entries)

    def lately_of(self, user_id: int) -> Lately:
        return self.lately.get(user_id, Lately(0, self.now))

    @property
    def window(self) -> timedelta:
        """Within this time nobody posts more than POSTS_BURST messages."""
        return timedelta(seconds=limits.POSTS_BURST / settings.CHAT_POSTS_PER_S)

    # One statement each

    def _rooms(self) -> Query:
        # Not FOR UPDATE: that would wait for everybody who takes a place in the room.
        lock = "" if connection.vendor == "sqlite" else " ORDER BY room.id FOR NO KEY UPDATE"
        sql = "SELECT room.id, room.slug, room.is_private, room.head, room.posts FROM chat_room room"
        return Query(f"{sql} WHERE {self._of_rooms.sql}{lock}", self._of_rooms.values)

    def _people(self) -> Query:
        """Each once for every place that they have in one of the rooms, or once without a place."""
        those = self._among("person.id", self._users)
        select = "SELECT person.id, person.username, person.is_active, place.room_id, place.role, place.has_reacted"
        rooms = f"(SELECT room.id FROM chat_room room WHERE {self._of_rooms.sql})"
        places = f"chat_membership place ON place.user_id = person.id AND place.room_id IN {rooms}"
        sql = f"{select} FROM accounts_user person LEFT JOIN {places} WHERE {those.sql}"
        return Query(sql, [*self._of_rooms.values, *those.values])

    def _said(self) -> Query:
        """The author of a message with the same nonce gets the first answer again (promise G2)."""
        nonces = {entry.verb.nonce for entry in self._entries if isinstance(entry.verb, Posting)}
        select = "SELECT room.slug, place.author_id, place.nonce, place.seq FROM chat_message place"
        return self._in_rooms(select, "place.author_id", nonces)

    def _amended(self) -> Query:
        """A late copy, from a process that was suspended, must not undo what was changed since (promise G2).

        These nonces are apart from those of posts, so that posts, which are many, do not have to look here as well.
        """
        nonces = {entry.verb.nonce for entry in self._entries if isinstance(entry.verb, Amendment) and entry.verb.nonce}
        select = "SELECT room.slug, place.author_id, place.nonce, place.seq, place.version FROM chat_changenonce place"
        return self._in_rooms(select, "place.author_id", nonces)

    def _in_rooms(self, select: str, author: str, nonces: set[str] | None = None) -> Query:
        """Rows of `place` in the rooms, of these people, with one of these nonces."""
        conditions = [self._of_rooms, self._among(author, self._users)]
        if nonces is not None:
            conditions.append(self._among("place.nonce", sorted(nonces)))
        where = " AND ".join(condition.sql for condition in conditions)
        values = [value for condition in conditions for value in condition.values]
        return Query(f"{select} JOIN chat_room room ON room.id = place.room_id WHERE {where}", values)

    def _targets(self) -> Query:
        """The messages that are to be changed, as they are."""
        wanted = sorted({entry.verb.seq for entry in self._entries if isinstance(entry.verb, Amendment)})
        those = self._among("message.seq", wanted)
        return Query(f"{rows.SELECT} WHERE {self._of_rooms.sql} AND {those.sql}", self._of_rooms.values + those.values)

    def _lately(self) -> Query:
        """What seems to be said later than now was said before the clock was put back: it is no part of the window."""
        those = self._among("author_id", self._users)
        sql = f"SELECT author_id, count(*), min(created_at) FROM chat_message WHERE {those.sql}"
        within = [rows.moment(self.now - self.window), rows.moment(self.now + CLOCKS_DIFFER)]
        return Query(f"{sql} AND created_at > %s AND created_at <= %s GROUP BY author_id", [*those.values, *within])
