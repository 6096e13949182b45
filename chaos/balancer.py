"""What stands before the servers, without standing there: picks one at random, and another where nobody listens."""

from __future__ import annotations

import random

from rig.line import NOT_OPENED, Line

from .people import Person


class NoAnswer(Exception):
    """No server took the call."""


class ServerLine(Line):
    """A line, and the number of the server at its other end."""

    server: int


class Balancer:
    """Gives each call to one of the servers."""

    def __init__(self, urls: list[str]):
        self._urls = urls

    async def call(self, person: Person, chance: random.Random) -> ServerLine:
        for server in chance.sample(range(len(self._urls)), len(self._urls)):
            try:
                line = await _open(self._urls[server] + person.query, person.headers)
            except ConnectionRefusedError:
                continue
            except NOT_OPENED as problem:
                raise NoAnswer from problem
            line.server = server
            return line
        raise NoAnswer


async def _open(url: str, headers: dict[str, str]) -> ServerLine:
    """Whoever calls has clocks of their own."""
    options = {"open_timeout": None, "ping_interval": None, "close_timeout": 2}
    return await ServerLine.open(url, additional_headers=headers, **options)
