"""The person behind a connection, found by session cookie or by name. Called in threads that may touch the database."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from types import SimpleNamespace
from typing import NamedTuple

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.db import IntegrityError, transaction

from . import lookalikes, names
from .models import User
from .session_store import SessionStore
from .text import is_storable


class Why(Enum):
    """Why somebody is not admitted."""

    NOT_SIGNED_IN = "not signed in"
    FORBIDDEN = "forbidden"
    ACCOUNT_DISABLED = "account disabled"
    INTERNAL = "internal"
    RATE_LIMITED = "rate limited"


class NotAdmitted(Exception):
    """Refused for who they are; the argument says it in words."""

    def __init__(self, why: Why, words: str):
        super().__init__(words)
        self.why = why


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


def by_session(session_key: str) -> Person | None:
    """The person of a session cookie; None: the session is over, or was never one."""
    if not is_storable(session_key):
        return None
    session = SessionStore(session_key)
    user = auth.get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
    if isinstance(user, User):
        return person_of(user, session)._replace(session_key=session_key)
    if _was_disabled(session):
        raise NotAdmitted(Why.ACCOUNT_DISABLED, "this account is disabled")
    return None


def by_name(name: str, admit_new: Callable[[], None]) -> Person:
    """The guest of that name, made now or known by it; a name that belongs to somebody is refused.

    `admit_new` is asked before a name is made, and may raise NotAdmitted.
    """
    _check_guests_are_admitted()
    try:
        guest = _guest(names.check(name), admit_new)
    except names.BadName as problem:
        raise NotAdmitted(Why.FORBIDDEN, str(problem)) from None
    if guest.is_claimed:
        raise NotAdmitted(Why.FORBIDDEN, "this name belongs to somebody")
    if not guest.is_active:
        raise NotAdmitted(Why.ACCOUNT_DISABLED, "this account is disabled")
    return _known_by_name(guest)


def by_no_name(admit_new: Callable[[], None]) -> Person:
    """A guest of a name that nobody had before; the more are taken, the longer it is."""
    _check_guests_are_admitted()
    admit_new()
    for length in range(4, names.LENGTH_LIMIT // 2):
        with suppress(IntegrityError), transaction.atomic():
            return _known_by_name(User.objects.create_guest(names.for_nobody(length), claimed=False))
    raise NotAdmitted(Why.INTERNAL, "no name is free")


def stamp(user: User) -> str:
    """A fingerprint of what the user signs in with; it changes with the password."""
    return fingerprint(user.get_session_auth_hash())


def session_fingerprint(session_key: str | None) -> str:
    return fingerprint(session_key) if session_key else ""


def person_of(user: User, session: SessionBase | None) -> Person:
    expires_at = time.time() + session.get_expiry_age() if session is not None else None
    session_key = session.session_key if session is not None else None
    return Person(user.pk, user.username, session_fingerprint(session_key), stamp(user), expires_at)


def _check_guests_are_admitted() -> None:
    if not settings.CHAT_GUESTS:
        raise NotAdmitted(Why.NOT_SIGNED_IN, "guests are not admitted here")


def _known_by_name(guest: User) -> Person:
    return Person(guest.pk, guest.username, stamp=stamp(guest), by_name_alone=True)


def _was_disabled(session: SessionStore) -> bool:
    user_id = session.get(auth.SESSION_KEY)
    return user_id is not None and User.objects.filter(pk=user_id, is_active=False).exists()


def _guest(name: str, admit_new: Callable[[], None]) -> User:
    try:
        return User.objects.by_name(name)
    except User.DoesNotExist:
        admit_new()
    if lookalikes.is_reserved(name):
        raise NotAdmitted(Why.FORBIDDEN, "this name is reserved")
    try:
        return User.objects.create_guest(name, claimed=False)
    except IntegrityError:
        pass
    try:
        return User.objects.by_name(name)
    except User.DoesNotExist:
        raise NotAdmitted(Why.FORBIDDEN, "this name looks like somebody else's") from None


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
