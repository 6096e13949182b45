"""Who may connect, and which rooms they may see. Called in the threads of database.py."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import NamedTuple

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat.models import Membership, Notice, Room
from chat.rooms.permissions import may_see
from chat.wire.closes import Close
from chat.wire.codec import is_storable
from chat.wire.refusals import NO_SUCH_ROOM, Refusal

from . import names
from .models import User

TICKET_LIFETIME_S = 60
TICKET_SALT = "chat.ticket"
TICKET_FIELDS = 5  # of Person: the rest is about the connection


class NotAdmitted(Exception):
    """Refused for who they are: the connection is closed with this code."""

    def __init__(self, code: Close, why: str):
        super().__init__(why)
        self.code = code


class Person(NamedTuple):
    """Somebody at the door, or inside.

    `session` and `stamp` are fingerprints of the session and of the password: what a revocation names.
    `expires_at`: when the session ends (seconds since the epoch), or None. `session_key`: only of a cookie, never in
    a ticket. `is_proved`: looked up just now; a ticket only says what was true when it was issued.
    """

    user_id: int
    name: str
    session: str = ""
    stamp: str = ""
    expires_at: float | None = None
    by_name_alone: bool = False
    session_key: str = ""
    is_proved: bool = True

    @property
    def connections_limit(self) -> int:
        return 1 if self.by_name_alone else settings.CHAT_CONNECTIONS_PER_NAME


class RoomView(NamedTuple):
    """A room that somebody may see, where it stands, and how far they have read."""

    id: int
    slug: str
    title: str
    head: int
    read: int


# At the door -----------------------------------------------------------------------------------------------


def by_session(session_key: str) -> Person | None:
    """The person of a session cookie; None: the session is over, or was never one."""
    if not is_storable(session_key):
        return None
    session = SessionStore(session_key)
    user = auth.get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
    if isinstance(user, User):
        return _person(user, session)._replace(session_key=session_key)
    if _was_disabled(session):
        raise NotAdmitted(Close.ACCOUNT_DISABLED, "this account is disabled")
    return None


def by_ticket(ticket: str) -> Person:
    """The person of a ticket, without a query."""
    try:
        said = signing.TimestampSigner(salt=TICKET_SALT).unsign_object(ticket)
        user_id, name, session, stamp_, expires_at = said["person"]
        person = Person(user_id, name, session, stamp_, expires_at, is_proved=False)
    except (signing.BadSignature, ValueError, TypeError, KeyError):
        raise NotAdmitted(Close.NOT_SIGNED_IN, "the ticket is not one of ours") from None
    if time.time() > said["until"]:
        raise NotAdmitted(Close.NOT_SIGNED_IN, "the ticket has expired")
    return person


def by_name(name: str) -> Person:
    """The guest of that name, made now or known by it; a name that belongs to somebody is refused."""
    _check_guests_are_admitted()
    try:
        guest = _guest(names.check(name))
    except names.BadName as problem:
        raise NotAdmitted(Close.FORBIDDEN, str(problem)) from None
    if guest.is_claimed:
        raise NotAdmitted(Close.FORBIDDEN, "this name belongs to somebody")
    if not guest.is_active:
        raise NotAdmitted(Close.ACCOUNT_DISABLED, "this account is disabled")
    return _known_by_name(guest)


def by_no_name() -> Person:
    """A guest of a name that nobody had before; the more are taken, the longer it is."""
    _check_guests_are_admitted()
    for length in range(4, names.LENGTH_LIMIT // 2):
        with suppress(IntegrityError), transaction.atomic():
            return _known_by_name(User.objects.create_guest(names.for_nobody(length), claimed=False))
    raise NotAdmitted(Close.INTERNAL, "no name is free")


def issue_ticket(user: User, session: SessionBase | None = None, lifetime_s: float = TICKET_LIFETIME_S) -> str:
    """A signed string that admits this user for a while: for programs, and for connecting without a cookie.

    Issued within a session it ends with the session.
    """
    said = {"person": list(_person(user, session)[:TICKET_FIELDS]), "until": int(time.time() + lifetime_s)}
    return signing.TimestampSigner(salt=TICKET_SALT).sign_object(said)


def stamp(user: User) -> str:
    """A fingerprint of what the user signs in with; it changes with the password."""
    return _fingerprint(user.get_session_auth_hash())


def fingerprint_of_session(session_key: str | None) -> str:
    return _fingerprint(session_key) if session_key else ""


def _check_guests_are_admitted() -> None:
    if not settings.CHAT_GUESTS:
        raise NotAdmitted(Close.NOT_SIGNED_IN, "guests are not admitted here")


def _known_by_name(guest: User) -> Person:
    return Person(guest.pk, guest.username, stamp=stamp(guest), by_name_alone=True)


def _person(user: User, session: SessionBase | None) -> Person:
    expires_at = time.time() + session.get_expiry_age() if session is not None else None
    session_key = session.session_key if session is not None else None
    return Person(user.pk, user.username, fingerprint_of_session(session_key), stamp(user), expires_at)


def _was_disabled(session: SessionStore) -> bool:
    user_id = session.get(auth.SESSION_KEY)
    return user_id is not None and User.objects.filter(pk=user_id, is_active=False).exists()


def _guest(name: str) -> User:
    try:
        return User.objects.by_name(name)
    except User.DoesNotExist:
        pass
    try:
        return User.objects.create_guest(name, claimed=False)
    except IntegrityError:
        return User.objects.by_name(name)


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def note_logout(request=None, **_: object) -> None:
    """The session of this request ends: its sockets in every process are closed."""
    session_key = getattr(getattr(request, "session", None), "session_key", None)
    if session_key:
        Notice.objects.create(session=fingerprint_of_session(session_key))


# Inside ----------------------------------------------------------------------------------------------------


def visible_rooms(user_id: int) -> QuerySet[Room]:
    """The rooms that this user may see, as a query: `may_see` in SQL."""
    places = Membership.objects.filter(user=user_id)
    belongs = places.filter(role__in=[Membership.Role.MEMBER, Membership.Role.MODERATOR])
    banned = places.filter(role=Membership.Role.BANNED)
    return Room.objects.filter(
        Q(pk__in=belongs.values("room")) | Q(is_private=False) & ~Q(pk__in=banned.values("room"))
    )


def rooms_of(user_ids: list[int]) -> dict[int, list[RoomView]]:
    """The rooms that each of these users may see, with how far they have read; two queries for all."""
    rows = list(Room.objects.values_list("pk", "slug", "title", "is_private", "head"))
    places: dict[int, dict[int, tuple[str | None, int]]] = {user_id: {} for user_id in user_ids}
    memberships = Membership.objects.filter(user__in=user_ids)
    for user_id, room_id, role, read in memberships.values_list("user", "room", "role", "read_seq"):
        places[user_id][room_id] = (role, read)
    return {user_id: _visible(rows, places[user_id]) for user_id in user_ids}


def _visible(rows: list[tuple[int, str, str, bool, int]], places: dict[int, tuple[str | None, int]]) -> list[RoomView]:
    found = []
    for id, slug, title, is_private, head in rows:
        role, read = places.get(id, (None, 0))
        if may_see(is_private, role):
            found.append(RoomView(id, slug, title, head, read))
    return found


def room(user_id: int, slug: str) -> RoomView:
    """The room, if this user may see it; otherwise there is no such room."""
    if not is_storable(slug):
        raise Refusal(*NO_SUCH_ROOM)
    view = next((view for view in rooms_of([user_id])[user_id] if view.slug == slug), None)
    if view is None:
        raise Refusal(*NO_SUCH_ROOM)
    return view


class Reading(NamedTuple):
    """How far somebody says they have read."""

    user_id: int
    room_id: int
    seq: int


def mark_read(readings: list[Reading]) -> dict[Reading, bool]:
    """Move reading positions forward, never back and never past the end; say which moved. One transaction for all."""
    with transaction.atomic():
        visitors = [
            Membership(room_id=reading.room_id, user_id=reading.user_id, role=Membership.Role.VISITOR)
            for reading in readings
        ]
        Membership.objects.bulk_create(visitors, ignore_conflicts=True)
        return {reading: _move(reading) for reading in readings}


def _move(reading: Reading) -> bool:
    place = Membership.objects.filter(room=reading.room_id, user=reading.user_id, read_seq__lt=reading.seq)
    return place.filter(room__head__gte=reading.seq).update(read_seq=reading.seq) > 0


# Still there? ----------------------------------------------------------------------------------------------


class Standing(NamedTuple):
    """What is true now of some people: who may stay, with which stamp, in which rooms, with which sessions.

    `ended`: fingerprints of sessions that were signed out, which is all that is known of a ticket's session.
    """

    stamps: dict[int, str]
    disabled: set[int]
    places: set[tuple[int, int]]
    sessions: set[str]
    ended: set[str]


def standing(places: set[tuple[int, int]], session_keys: set[str], fingerprints: set[str]) -> Standing:
    """Look again at people (user, room) and sessions. A user who is not in `stamps` or `disabled` is gone."""
    user_ids = {user_id for user_id, _ in places}
    users = list(User.objects.filter(pk__in=user_ids).only("is_active", "password"))
    return Standing(
        stamps={user.pk: stamp(user) for user in users if user.is_active},
        disabled={user.pk for user in users if not user.is_active},
        places=_still_visible(places),
        sessions=_still_open(session_keys),
        ended=set(Notice.objects.filter(session__in=fingerprints - {""}).values_list("session", flat=True)),
    )


def _still_visible(places: set[tuple[int, int]]) -> set[tuple[int, int]]:
    user_ids, room_ids = {user_id for user_id, _ in places}, {room_id for _, room_id in places}
    is_private = dict(Room.objects.filter(pk__in=room_ids).values_list("pk", "is_private"))
    memberships = Membership.objects.filter(user__in=user_ids, room__in=room_ids)
    roles = {(user_id, room_id): role for user_id, room_id, role in memberships.values_list("user", "room", "role")}
    return {place for place in places if place[1] in is_private and may_see(is_private[place[1]], roles.get(place))}


def _still_open(session_keys: set[str]) -> set[str]:
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    return set(sessions.values_list("session_key", flat=True))
