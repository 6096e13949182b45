"""Fills a site's database with what a row needs, and prints what the load needs to use it.

DATA_DIR=… python -m bench.seed '{"people": 100, "rooms": ["r1"], "messages": {"r1": 1000}, "session": true}'
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import lookalikes, names, tickets  # noqa: E402
from accounts.models import User  # noqa: E402
from chat.models import Membership, Message, Room  # noqa: E402

NOTHING: Mapping[str, int] = MappingProxyType({})
TICKET_LIFETIME_S = 3600
TEXT = "A message as there are a million of: about a hundred characters long, without anything special in it."


def seed(
    people: int = 1,
    rooms: Sequence[str] = (),
    messages: Mapping[str, int] = NOTHING,
    session: bool = False,
    places: int = 0,
    other_rooms: int = 0,
    lifetime_s: float = TICKET_LIFETIME_S,
) -> dict[str, Any]:
    """The rooms, people and messages that are not there yet; a ticket for each person, and a session cookie.

    `places`: of how many of the rooms each person is a member, beginning with another one each. `other_rooms`: how many
    rooms there are besides, in which nobody is.
    """
    _make_rooms([*rooms, *messages, *(f"other{number}" for number in range(other_rooms))])
    crowd = _people(people)
    for slug, count in messages.items():
        _fill(Room.objects.get(slug=slug), crowd[0], count)
    if places:
        _give_places(crowd, [Room.objects.get(slug=slug) for slug in rooms], places)
    issued = [tickets.issue_ticket(user, lifetime_s=lifetime_s) for user in crowd]
    return {"tickets": issued, "session": _session(crowd[0]) if session else None}


def _make_rooms(slugs: list[str]) -> None:
    there = set(Room.objects.values_list("slug", flat=True))
    Room.objects.bulk_create(Room(slug=slug, title=slug.capitalize()) for slug in slugs if slug not in there)


def _people(count: int) -> list[User]:
    wanted = [f"bench-{number}" for number in range(count)]
    there = set(User.objects.values_list("username", flat=True))
    User.objects.bulk_create(
        User(username=name, name_key=names.key(name), look_key=lookalikes.look(name), password=make_password(None))
        for name in wanted
        if name not in there
    )
    return list(User.objects.filter(username__startswith="bench-").order_by("id")[:count])


def _give_places(crowd: list[User], rooms: list[Room], places: int) -> None:
    Membership.objects.bulk_create(
        (
            Membership(room=rooms[(number + step) % len(rooms)], user=user)
            for number, user in enumerate(crowd)
            for step in range(places)
        ),
        ignore_conflicts=True,
    )


def _fill(room: Room, author: User, count: int) -> None:
    """Copies of one message, made by the database itself."""
    if room.head >= count:
        return
    first = Message.objects.create(
        room=room, author=author, seq=1, ordinal=1, version=1, nonce="n", text=TEXT, created_at=timezone.now()
    )
    own = {"seq": "n", "ordinal": "n", "version": "n", "nonce": "'n' || n"}
    columns = [field.column for field in Message._meta.concrete_fields if not field.primary_key]
    values = [own.get(column, column) for column in columns]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
            f" INSERT INTO {Message._meta.db_table} ({', '.join(columns)})"
            f" SELECT {', '.join(values)} FROM {Message._meta.db_table}, numbers WHERE id = %s",
            [count, first.pk],
        )
        Room.objects.filter(pk=room.pk).update(head=count, posts=count)


def _session(user: User) -> str:
    browser = Client()
    browser.force_login(user)
    return browser.cookies["sessionid"].value


if __name__ == "__main__":
    print(json.dumps(seed(**json.loads(sys.argv[1]))))
