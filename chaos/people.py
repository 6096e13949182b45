"""The people of a run: python -m chaos.people COUNT ROOM..., in the environment of a site, makes them and its rooms."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NamedTuple

from rig.site import run_python

TICKET_LIFETIME_S = 24 * 3600
BY_COOKIE, BY_TICKET, BY_NAME_ALONE = "cookie", "ticket", "name"
WAYS = (BY_COOKIE, BY_TICKET, BY_COOKIE, BY_NAME_ALONE)


class Person(NamedTuple):
    """A name, and what proves it at the door."""

    name: str
    way: str
    proof: str = ""

    @property
    def query(self) -> str:
        return {BY_TICKET: f"?ticket={self.proof}", BY_NAME_ALONE: f"?name={self.name}"}.get(self.way, "")

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"sessionid={self.proof}"} if self.way == BY_COOKIE else {}


def settle(env: dict[str, str], count: int, rooms: list[str]) -> list[Person]:
    """Make the rooms, and so many people of all kinds."""
    return [Person(*values) for values in json.loads(run_python(env, "-m", "chaos.people", str(count), *rooms))]


def _make(count: int, rooms: list[str]) -> list[Person]:
    from chat.models import Room

    for room in rooms:
        Room.objects.get_or_create(slug=room, defaults={"title": room.capitalize()})
    return [_make_person(f"person{number}", WAYS[number % len(WAYS)]) for number in range(1, count + 1)]


def _make_person(name: str, way: str) -> Person:
    from accounts import tickets
    from accounts.models import User

    if way == BY_NAME_ALONE:
        return Person(name, way)
    user = User.objects.create_user(name)
    if way == BY_TICKET:
        return Person(name, way, tickets.issue_ticket(user, lifetime_s=TICKET_LIFETIME_S))
    return Person(name, way, _sign_in(user))


def _sign_in(user: Any) -> str:
    from django.contrib import auth
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[auth.SESSION_KEY] = str(user.pk)
    session[auth.BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    import django

    django.setup()
    print(json.dumps(_make(int(sys.argv[1]), sys.argv[2:])))


if __name__ == "__main__":
    main()
