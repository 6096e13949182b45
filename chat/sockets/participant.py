"""What one connection asks and is told: a method for each verb. The only place that calls two engines in a row."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from accounts import access
from accounts.access import Person, RoomView
from chat import database, limits
from chat.live import catch_up
from chat.live.hub import ActiveRoom, Member
from chat.live.rate_limits import Patience
from chat.live.runtime import Runtime
from chat.messages import pages
from chat.messages.ledger import Entry, Receipt, Write
from chat.wire import codec, dialects, events, verbs
from chat.wire.closes import Close
from chat.wire.dialects import Dialect
from chat.wire.frame import Frame
from chat.wire.refusals import Refusal

logger = logging.getLogger("chat.conversation")

NORMAL_CLOSE = 1000


class Participant:
    """One connection's side of the chat.

    `deliver(frame)` sends without waiting and is False when too much waits already; `hang_up(code)` closes the socket.
    Both are the consumer's.
    """

    def __init__(
        self,
        runtime: Runtime,
        person: Person,
        dialect: Dialect,
        deliver: Callable[[Frame], bool],
        hang_up: Callable[[int], None],
    ):
        self.id = runtime.connections.next_id()
        self.person = person
        self.dialect = dialect
        self.heard_at = time.monotonic()
        self._runtime = runtime
        self._deliver = deliver
        self._hang_up = hang_up
        self._rooms: dict[str, tuple[ActiveRoom, Member]] = {}
        self._views: dict[str, RoomView] = {}
        self._look = 0
        self._typed_at = 0.0
        self._out_of_step: dict[str, tuple[int, float]] = {}
        self._in_flight = 0
        self._landed: asyncio.Event | None = None  # there while somebody waits for it
        self._patience = Patience(limits.RATE_LIMITED_PER_MINUTE)

    # From hello to bye

    async def open(self, accepted_at: float) -> None:
        """Say hello, and be known to the others."""
        views = await self._runtime.rooms_of.ask(self.person.user_id)
        self._views = {view.slug: view for view in views}
        self.tell(self._hello(views))
        self._runtime.add(self, accepted_at)
        if self.dialect.room is not None:
            await self._enter_the_only_room(self.dialect.room)

    def heard(self) -> None:
        """Any frame is a sign of life."""
        self.heard_at = time.monotonic()
        self._runtime.newcomers.heard_from(self)

    @property
    def sends_heartbeats(self) -> bool:
        return self.dialect.sends_heartbeats

    def close(self) -> None:
        """Leave everything; the connection is over."""
        for slug in list(self._rooms):
            self._leave(slug, on_purpose=False)
        self._runtime.remove(self)

    def bye(self, code: Close, retry_after_s: float | None = None) -> None:
        """Say why, then close: a browser shows the reason of a frame, not of a close."""
        self.tell(events.Bye(code=code, reason=code.reason, retry_after=retry_after_s))
        self._hang_up(code)

    def tell(self, event: events.Event) -> None:
        if (frame := self.dialect.told(event)) is not None:
            self._send(frame)

    def _send(self, frame: Frame) -> None:
        if not self._deliver(frame):
            self.too_slow()

    def too_slow(self) -> None:
        """More waits for this reader than may."""
        self._hang_up(Close.TOO_SLOW)

    def _hello(self, views: list[RoomView]) -> events.Hello:
        return events.Hello(
            name=self.person.name,
            connection=self.id,
            process=self._runtime.process,
            rooms=[events.RoomState(view.slug, view.title, view.head, view.read) for view in views],
            heartbeat={"interval": limits.HEARTBEAT_INTERVAL_S, "timeout": limits.HEARTBEAT_TIMEOUT_S},
            limits=_limits(),
            now=codec.now(),
        )

    async def _enter_the_only_room(self, slug: str) -> None:
        """A simple dialect speaks in one room; where it may not, it has nothing to do here."""
        try:
            await self._join_now(verbs.Join(room=slug))
        except Refusal as refusal:
            self.refuse(None, refusal)
            self.bye(Close.FORBIDDEN)

    # Verbs. Those that need no database are done at once; the others are awaited in order by the consumer.

    def ask(self, verb: dialects.Asked) -> Awaitable[None] | None:
        """Do what was asked, or return what has to be awaited for it."""
        method: Callable[[Any], Awaitable[None] | None] = getattr(self, VERBS[type(verb)])
        return method(verb)

    def has_to_wait(self, verb: dialects.Asked) -> bool:
        """Whether this cannot be done at once: it reads from the database, or too many writes are under way."""
        return isinstance(verb, verbs.Join | verbs.History | verbs.Read) or self._is_full()

    def is_write(self, verb: dialects.Asked) -> bool:
        return isinstance(verb, Write)

    def _is_full(self) -> bool:
        return self._in_flight >= limits.REQUESTS_IN_FLIGHT

    async def has_room(self) -> None:
        """Wait until this connection has fewer writes under way than it may have."""
        while self._is_full():
            self._landed = self._landed or asyncio.Event()
            await self._landed.wait()

    async def join(self, verb: verbs.Join) -> None:
        await self._join_now(verb)

    def leave(self, verb: verbs.Leave) -> None:
        self._leave(verb.room, on_purpose=True)
        self.tell(events.Left(id=verb.id, room=verb.room))

    async def history(self, verb: verbs.History) -> None:
        self._runtime.allowances.spend_page(self.person)
        view = await self._view(verb.room)
        limit = max(1, min(verb.limit, limits.HISTORY_PAGE_LIMIT))
        page = await pages.before(view.id, verb.before, limit)
        self.tell(events.HistoryPage(id=verb.id, room=verb.room, messages=catch_up.raw(page.changes), more=page.more))

    def post(self, verb: verbs.Post) -> None:
        _check_text(verb.text)
        self._write(verb)

    def post_binary(self, verb: dialects.PostBinary) -> None:
        if not verb.data:
            raise Refusal("empty", "A message has some bytes.")
        self._write(verb)

    def edit(self, verb: verbs.Edit) -> None:
        _check_text(verb.text)
        self._change(verb)

    def delete(self, verb: verbs.Delete) -> None:
        self._change(verb)

    def react(self, verb: verbs.React) -> None:
        if any(character.isspace() for character in verb.emoji):
            raise Refusal("bad_frame", "A reaction is one emoji.")
        self._change(verb)

    async def read(self, verb: verbs.Read) -> None:
        view = await self._view(verb.room)
        reading = access.Reading(self.person.user_id, view.id, verb.seq)
        if await self._runtime.readings.ask(reading):
            moved = events.ReadMoved(room=verb.room, seq=verb.seq)
            self._runtime.tell_user(self.person.user_id, moved, except_id=self.id)

    def typing(self, verb: verbs.Typing) -> None:
        if verb.room not in self._rooms:
            raise Refusal("not_found", "You are not in this room.")
        now = time.monotonic()
        if now - self._typed_at >= limits.TYPING_INTERVAL_S:
            self._typed_at = now
            self._runtime.hub.typed(self._rooms[verb.room][0], self.person.name)

    def heartbeat(self, verb: verbs.Heartbeat) -> None:
        self.tell(events.HeartbeatReply(id=verb.id, sent=verb.sent, now=codec.now()))

    def joins_wanting(self, verb: verbs.Heartbeat) -> list[verbs.Join]:
        """What a client would ask that knew what it lacks: it has stood where the room does not, for too long.

        Or it believes to be in a room in which this connection is not. A few rooms at a time, whatever it says.
        """
        now, was, self._out_of_step = time.monotonic(), self._out_of_step, {}
        joins: list[verbs.Join] = []
        for slug, version in sorted((verb.at or {}).items(), key=lambda one: one[0] not in self._rooms):
            is_room_for_more = len(joins) + len(self._out_of_step) < limits.REQUESTS_IN_FLIGHT
            if is_room_for_more and version != self._head_here(slug):
                stood_at, since = was.get(slug, (version, now))
                if stood_at == version and now - since >= limits.OUT_OF_STEP_S:
                    joins.append(verbs.Join(room=slug, after=version))
                else:
                    self._out_of_step[slug] = (version, since if stood_at == version else now)
        return joins

    def _head_here(self, slug: str) -> int | None:
        return self._rooms[slug][0].feed.head if slug in self._rooms else None

    def echo(self, verb: dialects.Echo) -> None:
        self._send(verb.frame)

    def who(self, verb: dialects.Who) -> None:
        room, _ = self._rooms[self.dialect.room or ""]
        self._say("Here: " + ", ".join(self._runtime.presence.online(room.id)))

    def say(self, verb: dialects.Say) -> None:
        self._say(verb.text)

    def quit(self, verb: dialects.Quit) -> None:
        self._hang_up(NORMAL_CLOSE)

    # Joining: subscribed first, read second, merged by number.

    async def _join_now(self, verb: verbs.Join) -> None:
        self._runtime.allowances.spend_page(self.person)
        view, look = await self._view(verb.room), self._look
        room = await self._runtime.hub.open(view.id, view.slug, view.title)
        try:
            answer = await catch_up.page(self._runtime.hub, room, verb)
        except BaseException:
            self._runtime.hub.give_up(room)
            raise
        if look != self._look:
            self._runtime.hub.give_up(room)
            await self._join_now(verb)  # a notice came meanwhile: may they still?
        elif isinstance(answer, events.Joined) and not answer.more:
            self._enter(room, answer)
        else:
            self._runtime.hub.give_up(room)
            self.tell(answer)

    def _enter(self, room: ActiveRoom, answer: events.Joined) -> None:
        """Answer and listen in the same turn of the loop."""
        if room.slug in self._rooms:
            self._runtime.hub.give_up(room)
        else:
            member = Member(type(self.dialect), self._deliver, self.too_slow)
            self._runtime.hub.join(room, member)
            self._rooms[room.slug] = (room, member)
            self._runtime.presence.entered(room.id, self.person.name)
        answer.online = self._online(room)
        self.tell(answer)

    def _online(self, room: ActiveRoom) -> events.Online:
        count = self._runtime.presence.count(room.id)
        is_big = count > limits.NAMES_SHOWN_LIMIT
        return events.Online(count, None if is_big else self._runtime.presence.online(room.id))

    def _leave(self, slug: str, on_purpose: bool) -> None:
        if (joined := self._rooms.pop(slug, None)) is not None:
            room, member = joined
            self._runtime.hub.leave(room, member)
            self._runtime.presence.left(room.id, self.person.name, on_purpose)

    async def _view(self, slug: str) -> RoomView:
        """The room, if this person may see it. Remembered until a notice says to look again."""
        while slug not in self._views:
            look = self._look
            view = await database.readers.run(access.room, self.person.user_id, slug)
            if look == self._look:
                self._views[slug] = view
        return self._views[slug]

    # Being removed

    def room_ids(self) -> list[int]:
        return [room.id for room, _ in self._rooms.values()]

    def forget_views(self) -> None:
        """What was seen of rooms, or is on its way from the database, may be out of date."""
        self._views.clear()
        self._look += 1

    def removed_from(self, room_id: int) -> None:
        """The room was taken away: nothing more of it comes here."""
        for slug in [slug for slug, (room, _) in self._rooms.items() if room.id == room_id]:
            self._leave(slug, on_purpose=True)
            self.tell(events.Left(room=slug, reason="removed"))
            if self.dialect.room is not None:
                self.bye(Close.FORBIDDEN)

    # Writing: acknowledged after the commit.

    def _change(self, verb: verbs.Edit | verbs.Delete | verbs.React) -> None:
        self._runtime.allowances.spend_change(self.person)
        self._write(verb)

    def _write(self, verb: Write) -> None:
        future = self._runtime.writes.write(Entry(self.person.user_id, verb))
        self._in_flight += 1
        future.add_done_callback(lambda done: self._written(verb, done))

    def _written(self, verb: Write, done: asyncio.Future[Receipt]) -> None:
        self._in_flight -= 1
        if self._landed is not None:
            self._landed.set()
            self._landed = None
        problem = done.exception()
        if problem is None:
            self._acknowledge(verb, done.result())
        else:
            self.refuse(verb, problem)

    def _acknowledge(self, verb: Write, receipt: Receipt) -> None:
        self.tell(
            events.Ack(
                id=getattr(verb, "id", None),
                room=receipt.room,
                seq=receipt.seq,
                version=receipt.version,
                nonce=getattr(verb, "nonce", None),
                duplicate=receipt.is_repeat,
            )
        )

    # Refusing

    def refuse(self, verb: Any, problem: BaseException) -> None:
        """One exception becomes one error frame."""
        if not isinstance(problem, Refusal):
            logger.error("%s by %s failed", type(verb).__name__, self.person.name, exc_info=problem)
            problem = Refusal("internal", "Something went wrong here.")
        self.tell(
            events.Error(
                id=getattr(problem if verb is None else verb, "id", None),
                code=problem.code,
                message=problem.message,
                retry_after=problem.retry_after,
                room=getattr(verb, "room", None),
                nonce=getattr(verb, "nonce", None),
            )
        )
        if problem.code == "rate_limited" and self._patience.is_lost():
            self.bye(Close.RATE_LIMITED)

    def _say(self, text: str) -> None:
        self._send(Frame(text.encode()))


def _check_text(text: str) -> None:
    if not text.strip():
        raise Refusal("empty", "A message has a text.")
    if len(text) > limits.TEXT_LIMIT_CHARACTERS:
        raise Refusal("too_long", f"A message has at most {limits.TEXT_LIMIT_CHARACTERS:,} characters.")


def _limits() -> dict[str, float]:
    return {
        "frame": limits.FRAME_LIMIT_BYTES,
        "binary": limits.BINARY_LIMIT_BYTES,
        "text": limits.TEXT_LIMIT_CHARACTERS,
        "posts_per_s": settings.CHAT_POSTS_PER_S,
        "burst": limits.POSTS_BURST,
        "in_flight": limits.REQUESTS_IN_FLIGHT,
        "typing_interval": limits.TYPING_INTERVAL_S,
    }


VERBS: dict[type, str] = {
    verbs.Join: "join",
    verbs.Leave: "leave",
    verbs.History: "history",
    verbs.Post: "post",
    verbs.Edit: "edit",
    verbs.Delete: "delete",
    verbs.React: "react",
    verbs.Read: "read",
    verbs.Typing: "typing",
    verbs.Heartbeat: "heartbeat",
    dialects.PostBinary: "post_binary",
    dialects.Echo: "echo",
    dialects.Who: "who",
    dialects.Say: "say",
    dialects.Quit: "quit",
}
