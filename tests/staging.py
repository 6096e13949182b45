"""What tests of a whole site arrange and look up: accounts, rooms, rows, and people at the pages."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from chatsite.processes import short_folder

from .site import Blueprint, Site

PASSWORD = "seven-green-bottles"

PEOPLE = """
import json
from django.contrib.auth.hashers import make_password
from chat import access
from chat.models import User
password = make_password({password!r})
def person(name):
    user = User(username=name, password=password)
    user.save()
    return access.issue_ticket(user, lifetime_s=86_400)
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
        "INSERT INTO chat_room (slug, title, is_private, head, floor, epoch, created_at)"
        f" VALUES ('{slug}', '{slug.capitalize()}', {private}, 0, 0, 'abcdefgh', CURRENT_TIMESTAMP)",
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


@contextmanager
def locked_database(site: Site) -> Iterator[None]:
    """Somebody else holds the lock that every write of a message needs."""
    lock = "LOCK TABLE chat_room IN EXCLUSIVE MODE" if "DATABASE_URL" in site.env else "BEGIN IMMEDIATE"
    with closing(_connection(site)) as connection:
        connection.execute(lock)
        yield
        connection.rollback()


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
    assert "Traceback" not in site.logs, site.logs[-5000:]


class Visitor:
    """Somebody at the site's pages, with a browser's cookies."""

    def __init__(self, url: str):
        self.url = url
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    @property
    def headers(self) -> dict[str, str]:
        """What this browser sends when it opens a socket."""
        return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies), "Origin": self.url}

    def get(self, path: str) -> str:
        with self._opener.open(f"{self.url}{path}", timeout=30) as answer:
            return answer.read().decode()

    def post(self, path: str, page: str | None = None, **fields: str) -> str:
        """Fill in the form of a page, and send it."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(page or path)).group(1)
        data = urlencode({"csrfmiddlewaretoken": token, **fields}, doseq=True).encode()
        with self._opener.open(f"{self.url}{path}", data, timeout=30) as answer:
            return answer.read().decode()

    def sign_in(self, name: str, password: str = PASSWORD) -> Visitor:
        self.post("/accounts/login/", login=name, password=password)
        assert any(cookie.name == "sessionid" for cookie in self.cookies), f"{name} was not let in"
        return self

    def ticket(self) -> str:
        self.get("/")
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        request = urllib.request.Request(f"{self.url}/api/ticket", b"", {"X-CSRFToken": token})
        with self._opener.open(request, timeout=30) as answer:
            return json.load(answer)["ticket"]
