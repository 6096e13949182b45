"""Somebody who stays: the browser's half of the promises in Python, for tests and for load.

A person beats their heart, comes back whatever cuts the line, asks for what was missed, repeats what was not
acknowledged, and puts every message in its place. What they were told stays in `events`, whichever connection it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from rig.backoff import backoff_s
from rig.client import ChatClient
from rig.line import COMES_WHEN_TOLD, LOST, NOT_OPENED, STAYS_AWAY, Disconnected, Event
from rig.room import Room

PATIENCE_S = 60
WORTH_ANOTHER_TRY = ("rate_limited", "unavailable")


class Person(ChatClient):
    """One person in one room. `urls` are tried in turn, as a proxy before several processes would.

    `patient`: waits for a server that does not answer, for as long as it takes.
    """

    def __init__(
        self, urls: Sequence[str], query: str = "", room: str = "lobby", patient: bool = False, **options: Any
    ):
        super().__init__("", ping_interval=None, **options)
        self.room = room
        self.is_patient = patient
        self.timeline = Room(room)
        self.online: set[str] = set()
        self.errors: list[Event] = []
        self.closes: list[int | None] = []
        self.resyncs: list[Event] = []
        self.blackouts_s: list[float] = []
        self.heard_at = time.monotonic()
        self.is_caught_up = False
        self._addresses = [f"{url}?{query}" if query else url for url in urls]
        self._outbox: dict[str, Event] = {}
        self._acks: dict[str, asyncio.Future[Event]] = {}
        self._asked: Event = {}
        self._bye: Event | None = None
        self._heartbeat: dict[str, float] = {}
        self._beating: asyncio.Task[None] | None = None
        self._cut_at: float | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._paused: set[str] = set()

    async def __aenter__(self) -> Person:
        self._life = asyncio.create_task(self._live())
        await self.waits_for(lambda: self.is_caught_up or self._life.done())
        if self._life.done():
            raise AssertionError(f"was not let in: {self.closes}")
        return self

    async def close(self) -> None:
        for task in (self._life, *self._errands):
            task.cancel()
        await asyncio.gather(self._life, *self._errands, return_exceptions=True)
        if hasattr(self, "line"):
            await super().close()

    # What a test does with a person

    async def says(self, text: str, nonce: str | None = None) -> Event:
        """The ack, however many connections it takes."""
        return await (await self.begins_to_say(text, nonce))

    async def begins_to_say(self, text: str, nonce: str | None = None) -> asyncio.Future[Event]:
        """The ack to come."""
        nonce = nonce or secrets.token_hex(8)
        self._outbox[nonce] = {"type": "post", "id": nonce, "room": self.room, "nonce": nonce, "text": text}
        ack = self._acks[nonce] = asyncio.get_running_loop().create_future()
        if self.is_caught_up:
            await self._post(self._outbox[nonce])
        return ack

    async def sees(self, *texts: str) -> None:
        await self.waits_for(lambda: set(texts) <= set(self.timeline.texts))

    async def reaches(self, version: int) -> None:
        """Until everything up to that number is here."""
        await self.waits_for(lambda: self.is_caught_up and (self.timeline.position or 0) >= version)

    async def waits_for(self, is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Until it is so, after whatever event that happens."""
        async with asyncio.timeout(patience_s), self._arrived:
            await self._arrived.wait_for(is_so)

    def cut(self) -> None:
        """The line is dead: what still comes through it is not waited for."""
        self.line.abort()

    # A life

    async def _live(self) -> None:
        try:
            await self._come_and_go()
        finally:
            await self._take([])

    async def _come_and_go(self) -> None:
        attempts = 0
        for address in itertools.cycle(self._addresses):
            self.url, self._bye = address, None
            if not await self._is_connected():
                attempts += 1
                if attempts % len(self._addresses) == 0:
                    await asyncio.sleep(backoff_s(attempts // len(self._addresses)))
                continue
            attempts = 0
            await self._stay()
            if (pause_s := self._pause_s()) is None:
                return
            await asyncio.sleep(pause_s)

    async def _is_connected(self) -> bool:
        try:
            await self.connect()
        except NOT_OPENED:
            return False
        return True

    async def _stay(self) -> None:
        """Until the connection is over."""
        try:
            await asyncio.shield(self._reader)
        finally:
            if self._beating is not None:
                self._beating.cancel()
        self.is_caught_up = False
        self.timeline.disconnected()
        self._cut_at = self._cut_at or time.monotonic()
        self.closes.append(self.close_code)
        await self._take([])

    def _pause_s(self) -> float | None:
        """How long to stay away; None: for good."""
        code = self.close_code or LOST
        if code in STAYS_AWAY:
            return None
        if code in COMES_WHEN_TOLD and self._bye:
            return self._bye.get("retry_after", 0)
        return backoff_s(0)

    async def _beat(self) -> None:
        interval_s, timeout_s = self._heartbeat["interval"], self._heartbeat["timeout"]
        while True:
            beat_at = time.monotonic()
            with contextlib.suppress(Disconnected):
                await self.send("heartbeat")
            await asyncio.sleep(timeout_s)
            if self.heard_at < beat_at and not self.is_patient:
                self.cut()
            await asyncio.sleep(interval_s - timeout_s)

    # What is heard

    async def _take(self, events: list[Event]) -> None:
        self.heard_at = time.monotonic()
        for event in events:
            if heed := getattr(self, f"_heed_{event['type']}", None):
                heed(event)
        await super()._take(events)

    def _heed_hello(self, hello: Event) -> None:
        self._heartbeat = hello["heartbeat"]
        self._beating = self._soon(self._beat())
        self._ask_for_what_is_missing()

    def _heed_joined(self, joined: Event) -> None:
        self.timeline.joined(joined)
        if self.timeline.is_live and "id" in joined:
            self._heed_caught_up(joined)
        self._ask_for_what_is_missing()

    def _heed_caught_up(self, joined: Event) -> None:
        self.online = set(joined["online"].get("names", ()))
        self.is_caught_up = True
        if self._cut_at is not None:
            self.blackouts_s.append(time.monotonic() - self._cut_at)
            self._cut_at = None
        self._soon(self._deliver())

    def _heed_resync(self, resync: Event) -> None:
        self.resyncs.append(resync)
        self.timeline.resync()
        self._ask_for_what_is_missing()

    def _heed_message(self, message: Event) -> None:
        if message["room"] == self.room:
            self.timeline.live(message)
            self._ask_for_what_is_missing()

    _heed_reaction = _heed_message

    def _heed_presence(self, presence: Event) -> None:
        self.online |= set(presence.get("joined", ()))
        self.online -= set(presence.get("left", ()))

    def _heed_ack(self, ack: Event) -> None:
        if self._outbox.pop(ack.get("nonce"), None):
            self._acks.pop(ack["nonce"]).set_result(ack)

    def _heed_error(self, error: Event) -> None:
        nonce = error.get("nonce")
        if error["code"] in WORTH_ANOTHER_TRY:
            if not nonce:
                self.timeline.join_failed(self._asked)
            self._try_again(error.get("retry_after", 1), self._deliver if nonce else self._join)
            return
        self.errors.append(error)
        if self._outbox.pop(nonce, None):
            self._acks.pop(nonce).set_exception(AssertionError(f"was refused: {error}"))

    def _heed_bye(self, bye: Event) -> None:
        self._bye = bye

    # What is said

    def _ask_for_what_is_missing(self) -> None:
        if self.timeline.wants_join and self._join.__name__ not in self._paused:
            self._soon(self._join())

    async def _join(self) -> None:
        if question := self.timeline.next_join():
            self._asked = question
            with contextlib.suppress(Disconnected):
                await self.send("join", **question)

    async def _deliver(self) -> None:
        """Say everything that has no ack yet, again."""
        for post in list(self._outbox.values()):
            await self._post(post)

    async def _post(self, post: Event) -> None:
        with contextlib.suppress(Disconnected):
            await self.send(**post)

    def _try_again(self, pause_s: float, errand: Callable[[], Any]) -> None:
        """Once, however many were refused."""
        if errand.__name__ not in self._paused:
            self._paused.add(errand.__name__)
            self._soon(self._after(pause_s, errand))

    async def _after(self, pause_s: float, errand: Callable[[], Any]) -> None:
        await asyncio.sleep(pause_s)
        self._paused.discard(errand.__name__)
        await errand()

    def _soon(self, errand: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task


async def loaded_afresh(url: str, room: str = "lobby") -> dict[int, Event]:
    """The whole room as somebody finds it who was never there: the latest page, and back to the beginning."""
    async with ChatClient(url) as newcomer:
        page = await newcomer.join(room)
        messages = {message["seq"]: message for message in page["messages"]}
        has_more = page.get("earlier", False)
        while has_more:
            page = await newcomer.ask("history", room=room, before=min(messages), limit=200)
            messages |= {message["seq"]: message for message in page["messages"]}
            has_more = page["more"]
        return messages
