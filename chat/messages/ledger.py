"""The one transaction that changes messages: check, number, write, all or nothing. The only writer of message rows.

A room's row is locked first, so that whoever holds it alone gives out its numbers: the order of commits is the order of
numbers and there are no holes. Plain SQL that SQLite and PostgreSQL both speak, in two round trips: the ORM would cost
more than the database here, and a room's lock is held for as long as the trips take.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import DataError, IntegrityError

from chat import database, limits
from chat.models import ChangeNonce, Membership
from chat.rooms import permissions
from chat.wire import codec
from chat.wire.refusals import Refusal
from chat.wire.verbs import Edit, Post, React

from . import markdown, rows, rules
from .amending import amend
from .entries import Amendment, Entry, Outcome, Receipt, RoomChanges, Write
from .known import Known, LockedRoom
from .posting import post

DISABLED = ("forbidden", "This account is disabled.")

INSERT_NONCE = (
    "INSERT INTO chat_changenonce (room_id, author_id, nonce, seq, version, created_at) VALUES (%s, %s, %s, %s, %s, %s)"
)
# Names stay for life where messages or reactions carry them; reactions are not rows that could be looked for.
NOTE_REACTION = (
    "INSERT INTO chat_membership (room_id, user_id, role, read_ordinal, has_reacted) VALUES (%s, %s, %s, 0, TRUE)"
    " ON CONFLICT (room_id, user_id) DO UPDATE SET has_reacted = TRUE"
)
MOVE_ROOM = "UPDATE chat_room SET head = %s, posts = %s WHERE id = %s"


def write(entries: Sequence[Entry]) -> tuple[list[Outcome], list[RoomChanges]]:
    """Write all entries in one transaction. One that the database cannot take does not spoil the others."""
    looks = [_html_of(entry.verb) for entry in entries]
    try:
        with database.transaction() as statements:
            return Transaction(entries, looks, statements).run()
    except (DataError, IntegrityError):
        if len(entries) == 1:
            return [Refusal("internal", "This message can't be stored.")], []
    outcomes, changed = [], []
    for entry in entries:
        outcome, change = write([entry])
        outcomes += outcome
        changed += change
    return outcomes, changed


def _html_of(verb: Write) -> str:
    """Before the transaction, which others wait for."""
    if isinstance(verb, Post | Edit) and len(verb.text) <= limits.TEXT_LIMIT_CHARACTERS:
        return markdown.html_of(verb.text)
    return ""


def forget_old_nonces() -> None:
    """Of changes. No client sends one again after so long; those of posts are kept in the messages and stay."""
    since = codec.now() - timedelta(seconds=limits.CHANGE_NONCES_KEPT_S)
    ChangeNonce.objects.filter(created_at__lt=since).delete()


class Transaction:
    """One batch: read what is known, enter one after the other, write it all."""

    def __init__(self, entries: Sequence[Entry], looks: Sequence[str], statements: database.Statements):
        self._entries, self._looks = entries, looks
        self._statements = statements
        self._inserts: list[tuple[Any, ...]] = []
        self._updates: list[tuple[Any, ...]] = []
        self._nonces: list[tuple[Any, ...]] = []
        self._reactions: list[tuple[Any, ...]] = []

    def run(self) -> tuple[list[Outcome], list[RoomChanges]]:
        self._known = Known(self._entries, codec.now(), self._statements)
        outcomes = [self._enter(entry, html) for entry, html in zip(self._entries, self._looks, strict=True)]
        changed = [room for room in self._known.rooms.values() if room.changes]
        self._statements.commit(
            [
                (rows.INSERT, self._inserts),
                (rows.UPDATE, self._updates),
                (INSERT_NONCE, self._nonces),
                (NOTE_REACTION, self._reactions),
                (MOVE_ROOM, [(room.head, room.posts, room.id) for room in changed]),
            ]
        )
        return outcomes, [RoomChanges(room.id, room.slug, room.changes) for room in changed]

    def _enter(self, entry: Entry, html: str) -> Outcome:
        try:
            rules.check(entry.verb)
            room = self._allowed_room(entry)
            if isinstance(entry.verb, Amendment):
                return self._amend(entry.user_id, room, entry.verb, html)
            receipt, message = post(self._known, entry.user_id, room, entry.verb, html)
            if message is not None:
                self._inserts.append(rows.inserted(room.id, entry.user_id, message))
            return receipt
        except Refusal as refusal:
            return refusal

    def _allowed_room(self, entry: Entry) -> LockedRoom:
        room = self._known.rooms.get(entry.verb.room)
        if room is None:
            raise permissions.kept_out(is_private=True)
        if not permissions.may_post(room.is_private, self._known.roles.get((room.slug, entry.user_id))):
            raise permissions.kept_out(room.is_private)
        author = self._known.people.get(entry.user_id)
        if author is None or not author.is_active:
            raise Refusal(*DISABLED)
        return room

    def _amend(self, user_id: int, room: LockedRoom, verb: Amendment, html: str) -> Receipt:
        receipt, message, is_first = amend(self._known, user_id, room, verb, html)
        if message is not None:
            self._updates.append(rows.updated(room.id, message))
            self._note_reaction(user_id, room, verb)
        if is_first:
            now = rows.moment(self._known.now)
            self._nonces.append((room.id, user_id, verb.nonce, receipt.seq, receipt.version, now))
        return receipt

    def _note_reaction(self, user_id: int, room: LockedRoom, verb: Amendment) -> None:
        if isinstance(verb, React) and (room.slug, user_id) not in self._known.reacted:
            self._known.reacted.add((room.slug, user_id))
            self._reactions.append((room.id, user_id, Membership.Role.VISITOR))
