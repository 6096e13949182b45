"""Tickets: signed strings that admit somebody for a while, for programs and for connecting without a cookie."""

from __future__ import annotations

import time

from django.contrib.sessions.backends.base import SessionBase
from django.core import signing

from .identity import NotAdmitted, Person, Why, person_of
from .models import User

TICKET_LIFETIME_S = 60
TICKET_SALT = "accounts.ticket"


def issue_ticket(user: User, session: SessionBase | None = None, lifetime_s: float = TICKET_LIFETIME_S) -> str:
    """A signed string that admits this user for a while. Issued within a session it ends with the session."""
    person = person_of(user, session)
    said = {
        "user_id": person.user_id,
        "name": person.name,
        "session": person.session,
        "stamp": person.stamp,
        "expires_at": person.expires_at,
        "until": int(time.time() + lifetime_s),
    }
    return _signer().sign_object(said)


def by_ticket(ticket: str) -> Person:
    """The person of a ticket, without a query."""
    try:
        said = _signer().unsign_object(ticket)
        until = said.pop("until")
        person = Person(**said, is_proved=False)
    except (signing.BadSignature, ValueError, TypeError, KeyError, AttributeError):
        raise NotAdmitted(Why.NOT_SIGNED_IN, "the ticket is not one of ours") from None
    if time.time() > until:
        raise NotAdmitted(Why.NOT_SIGNED_IN, "the ticket has expired")
    return person


def _signer() -> signing.TimestampSigner:
    """A ticket is a token (RFC 9110, 5.6.2): a browser takes nothing else in a subprotocol, and `:` is in none."""
    return signing.TimestampSigner(salt=TICKET_SALT, sep=".")
