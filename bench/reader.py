"""Single requests, one after another: pages over HTTP, and over a socket."""

import http.client
import statistics
import time
from collections.abc import Callable
from typing import Any

from .clients import Broken
from .load import Load
from .site import SiteServer


class Reader:
    """Fetches pages one after another, over HTTP and over a socket."""

    def __init__(self, server: SiteServer, load: Load, session: str):
        self._http = http.client.HTTPConnection("127.0.0.1", server.listeners[0].port, timeout=30)
        self._headers = {"Cookie": f"sessionid={session}"}
        self._load = load

    def room_page(self, room: str) -> float:
        began = time.perf_counter()
        self._http.request("GET", f"/rooms/{room}/", headers=self._headers)
        answer = self._http.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise Broken(f"/rooms/{room}/ answers {answer.status}")
        return time.perf_counter() - began

    def history(self, room: str, before: int) -> float:
        clients = self._load.clients
        return clients.ask(
            next(iter(clients.rooms.values()))[0], clients.wire.history(room, before), b'"type":"history"'
        )


def compared(fetches: dict[Any, Callable[[], float]], requests: int) -> dict[Any, float]:
    """The median of each in milliseconds: all in turn, so that whatever else the machine does hits them all."""
    for fetch in fetches.values():
        fetch()
    took_s: dict[Any, list[float]] = {name: [] for name in fetches}
    for _ in range(requests):
        for name, fetch in fetches.items():
            took_s[name].append(fetch())
    return {name: statistics.median(seconds) * 1e3 for name, seconds in took_s.items()}
