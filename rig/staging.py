"""What tests of a whole site arrange and look up: accounts, rooms and rows."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from chatsite.serve.processes import short_folder
from rig.client import ChatClient
from rig.line import Event
from rig.person import Person, loaded_afresh
from rig.site import Blueprint, Site
from rig.visitor import Visitor
from rig.waiting import until

PASSWORD = "seven-green-bottles"

PEOPLE = """
import json
from django.contrib.auth.hashers import make_password
from accounts import tickets
from accounts.models import User
password = make_password({password!r})
def person(name):
    user = User(username=name, password=password)
    user.save()
    return tickets.issue_ticket(user, lifetime_s=86_400)
print(json.dumps([person(name) for name in {names!r}]))
"""


def tickets(site: Site, *names: str) -> list[str]:
    """New accounts with PASSWORD; a ticket for each, good for a day."""
    return json.loads(run(site, PEOPLE.format(password=PASSWORD, names=names)))


def run(site: Site, code: str) -> str:
    """What these lines of Python print in the site's Django."""
    return site.manage("shell", "--no-imports", "-c", code)


def rows(site: Site, sql: str) -> list[tuple[Any, ...]]:
    """Straight from the site's database, or into it, past all of its code."""
    with closing(_connection(site)) as connection:
        cursor = connection.execute(sql)
        found = cursor.fetchall() if cursor.description else []
        connection.commit()
        return found


def new_room(site: Site, slug: str, private: bool = False) -> str:
    rows(
        site,
        "INSERT INTO chat_room (slug, title, is_private, head, posts, floor, epoch, created_at)"
        f" VALUES ('{slug}', '{slug.capitalize()}', {private}, 0, 0, 0, 'abcdefgh', CURRENT_TIMESTAMP)",
    )
    return slug


def _connection(site: Site) -> Any:
    if "DATABASE_URL" in site.env:
        return psycopg.connect(site.env["DATABASE_URL"])
    return sqlite3.connect(database_file(site), timeout=30)


def database_file(site: Site) -> Path:
    return Path(site.env["DATA_DIR"]) / "chatsite.sqlite3"


def texts(site: Site, room: str = "lobby") -> list[str]:
    """Every message of a room as the database has it, in order."""
    return [
        text
        for (text,) in rows(
            site,
            "SELECT text FROM chat_message WHERE room_id = (SELECT id FROM chat_room"
            f" WHERE slug = '{room}') ORDER BY seq",
        )
    ]


async def until_logged(site: Site, words: str, times: int = 1) -> None:
    """Until the servers have written that, so often in all."""
    await until(lambda: site.logs.count(words) >= times, every_s=0.1)


@contextmanager
def locked_database(site: Site, table: str = "chat_room") -> Iterator[None]:
    """Somebody else holds the lock that every write to the table needs; of a message, where none is named."""
    lock = f"LOCK TABLE {table} IN EXCLUSIVE MODE" if "DATABASE_URL" in site.env else "BEGIN IMMEDIATE"
    with closing(_connection(site)) as connection:
        connection.execute(lock)
        yield
        connection.rollback()


def cut_database_connections(site: Site) -> None:
    """Those of the servers to PostgreSQL. SQLite is a file and has none."""
    if "DATABASE_URL" in site.env:
        rows(
            site,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )


@contextmanager
def standing_site(blueprint: Blueprint, count: int = 2, **settings: str) -> Iterator[Site]:
    """A site that many tests share: they leave it running."""
    folder = short_folder("chatsite-site-")
    site = Site(folder, blueprint.copy(folder / "data") | settings, "chatsite.server")
    for _ in range(count):
        site.add_process()
    try:
        yield site
    finally:
        site.stop()
        logs = site.logs
        shutil.rmtree(folder)
    assert "Traceback" not in logs, logs[logs.index("Traceback") - 500 :][:5000]


class Place:
    """A shared site as one test sees it: with a room and names that no other test has."""

    def __init__(self, site: Site, number: int):
        self.site = site
        self._number = number
        self._rooms = 0
        self.room = self.new_room()

    def new_room(self, private: bool = False) -> str:
        self._rooms += 1
        return new_room(self.site, f"room-{self._number}-{self._rooms}", private)

    def new_guest(self, like: str) -> None:
        """Somebody known by name alone, who has never been here."""
        name = self.name(like)
        self.rows(
            "INSERT INTO accounts_user (username, name_key, look_key, password, is_superuser, is_staff, is_active,"
            " is_guest, is_claimed, first_name, last_name, email, date_joined)"
            f" VALUES ('{name}', '{name}', '{name}', '!', FALSE, FALSE, TRUE, TRUE, FALSE, '', '', '',"
            " CURRENT_TIMESTAMP)"
        )

    def give_role(self, like: str, room: str, role: str) -> None:
        self.rows(
            "INSERT INTO chat_membership (room_id, user_id, role, read_ordinal, has_reacted)"
            f" SELECT r.id, u.id, '{role}', 0, FALSE FROM chat_room r, accounts_user u"
            f" WHERE r.slug = '{room}' AND u.username = '{self.name(like)}'"
        )

    def name(self, like: str) -> str:
        return f"{like}.{self._number}"

    def url(self, name: str, process: int = 0) -> str:
        """Where a guest of that name comes in."""
        return f"{self.site.ws_urls[process]}?name={self.name(name)}"

    def client(self, name: str, process: int = 0) -> ChatClient:
        return ChatClient(self.url(name, process))

    def person(self, name: str, process: int = 0) -> Person:
        urls = self.site.ws_urls[process:] + self.site.ws_urls[:process]
        return Person(urls, f"name={self.name(name)}", self.room)

    def visitor(self, process: int = 0) -> Visitor:
        return Visitor(self.site.urls[process])

    async def loaded_afresh(self) -> dict[int, Event]:
        return await loaded_afresh(self.url("newcomer"), self.room)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.site, sql)

    @property
    def texts(self) -> list[str]:
        return texts(self.site, self.room)

    @property
    def room_id(self) -> int:
        return self.rows(f"SELECT id FROM chat_room WHERE slug = '{self.room}'")[0][0]

    @property
    def head(self) -> int:
        return self.rows(f"SELECT head FROM chat_room WHERE slug = '{self.room}'")[0][0]
