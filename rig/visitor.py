"""A visitor of the pages: keeps cookies and answers forms, as a browser without JavaScript would."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import Any


class Answer:
    """What came back, whatever its status."""

    def __init__(self, response: HTTPResponse | urllib.error.HTTPError):
        self.status = response.status
        self.headers = response.headers
        self.url = response.url
        self.text = response.read().decode()

    def json(self) -> Any:
        return json.loads(self.text)


class Visitor:
    """Somebody at a site's HTTP side."""

    def __init__(self, url: str):
        self.url = url
        self._jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))

    @property
    def cookie(self) -> str:
        """All cookies as one header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def get(self, path: str, **headers: str) -> Answer:
        return self._open(urllib.request.Request(self.url + path, headers=_spelt(headers)))

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form with the token that the pages put into theirs."""
        token = next((cookie.value for cookie in self._jar if cookie.name == "csrftoken"), "")
        data = urllib.parse.urlencode(fields).encode()
        headers = {"X-CSRFToken": token or "", "Origin": self.url, "Referer": self.url + "/"}
        return self._open(urllib.request.Request(self.url + path, data, headers))

    def enter(self, name: str) -> Visitor:
        """Come in as a guest."""
        self.get("/")
        self.post("/enter/", name=name)
        return self

    def ticket(self) -> str:
        return self.post("/api/ticket").json()["ticket"]

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=20) as response:
                return Answer(response)
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused)


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
