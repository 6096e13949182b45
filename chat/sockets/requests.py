"""What can be asked, and what is done for it: a method for each request.

The only place that calls two engines in a row.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from chat import limits
from chat.database import readers
from chat.live.connections import Connected
from chat.live.read_positions import Position
from chat.live.room import ActiveRoom
from chat.live.runtime import Runtime
from chat.messages.entries import Entry, Receipt, Write
from chat.rooms import reading
from chat.rooms.visible import RoomView
from chat.wire import codec, dialects, events, verbs
from chat.wire.dialects import Request
from chat.wire.frame import Frame
from chat.wire.refusals import Refusal

from . import history
from .intake import Intake
from .places import Places

NORMAL_CLOSE = 1000


class Requests:
    """What `connected`, which is in `places`, may ask. `send`, `refuse` and `hang_up` are the participant's."""

    def __init__(
        self,
        runtime: Runtime,
        connected: Connected,
        places: Places,
        send: Callable[[Frame], None],
        refuse: Callable[[Any, BaseException], None],
        hang_up: Callable[[int], None],
    ):
        self._runtime, self._connected, self._places = runtime, connected, places
        self._person = connected.person
        self._tell, self._send, self._refuse, self._hang_up = connected.tell, send, refuse, hang_up
        self._typed_at: dict[str, float] = {}
        self.intake: Intake

    def do(self, request: Request) -> Awaitable[None] | None:
        """Do it, or return what has to be awaited for it."""
        return HANDLERS[type(request)](self, request)

    def has_to_wait(self, request: Request) -> bool:
        """Whether `do` would return something to await."""
        if isinstance(request, verbs.Read):
            return self._ordinal_here(request) is None
        return isinstance(request, verbs.Join | verbs.History)

    # Rooms

    async def join(self, verb: verbs.Join) -> None:
        self._runtime.allowances.spend_page(self._person)
        answer, room = await self._places.join(verb)
        if isinstance(answer, events.Joined) and room is not None:
            answer.online = self._online(room)
        self._tell(answer)

    def leave(self, verb: verbs.Leave) -> None:
        self._places.leave(verb.room, on_purpose=True)
        self._tell(events.Left(id=verb.id, room=verb.room))

    def look(self, verb: verbs.Look) -> None:
        online = {room.slug: self._online(room) for room in self._places.look(verb.rooms)}
        self._tell(events.Looking(id=verb.id, online=online))

    async def history(self, verb: verbs.History) -> None:
        self._runtime.allowances.spend_page(self._person)
        view = await self._places.view(verb.room)
        self._tell(await history.page(view.id, verb))

    def typing(self, verb: verbs.Typing) -> None:
        if (room := self._places.room(verb.room)) is None:
            raise Refusal("not_found", "You are not in this room.")
        now = time.monotonic()
        is_due = now - self._typed_at.get(verb.room, -limits.TYPING_INTERVAL_S) >= limits.TYPING_INTERVAL_S
        if is_due if verb.on else verb.room in self._typed_at:
            self._typed_at[verb.room] = now
            if not verb.on:
                del self._typed_at[verb.room]
            self._runtime.hub.typed(room, self._person.name, verb.on)

    def heartbeat(self, verb: verbs.Heartbeat) -> None:
        self._tell(events.HeartbeatReply(id=verb.id, sent=verb.sent, now=codec.now()))
        for join in self._places.joins_wanting(verb.at or {}):
            self.intake.take(join)

    def _online(self, room: ActiveRoom) -> events.Online:
        count = self._runtime.presence.count(room.id)
        is_big = count > limits.NAMES_SHOWN_LIMIT
        return events.Online(count, None if is_big else self._runtime.presence.online(room.id))

    # Reading

    def read(self, verb: verbs.Read) -> Awaitable[None] | None:
        """At once where everything is in memory: thousands read the same message within a second."""
        ordinal = self._ordinal_here(verb)
        view = self._places.known(verb.room)
        if ordinal is None or view is None:
            return self._look_up_and_read(verb)
        self._read_to(view, ordinal)
        return None

    async def _look_up_and_read(self, verb: verbs.Read) -> None:
        view = await self._places.view(verb.room)
        ordinal = self._ordinal_here(verb)
        self._read_to(view, await readers.run(reading.ordinal_at, view.id, verb.seq) if ordinal is None else ordinal)

    def _ordinal_here(self, verb: verbs.Read) -> int | None:
        if (room := self._places.room(verb.room)) is None or self._places.known(verb.room) is None:
            return None
        return room.feed.ordinal_at(verb.seq)

    def _read_to(self, view: RoomView, ordinal: int) -> None:
        if ordinal > view.read:
            self._places.know([view._replace(read=ordinal)])
            self._runtime.has_read(self._connected, Position(self._person.user_id, view.id, view.slug, ordinal))

    # Writing: acknowledged after the commit

    def write(self, verb: Write) -> None:
        future = self._runtime.writes.write(Entry(self._person.user_id, verb))
        self.intake.write_begun()
        future.add_done_callback(lambda done: self._written(verb, done))

    def change(self, verb: verbs.Edit | verbs.Delete | verbs.React) -> None:
        self._runtime.allowances.spend_change(self._person)
        self.write(verb)

    def _written(self, verb: Write, done: asyncio.Future[Receipt]) -> None:
        self.intake.write_done()
        problem = done.exception()
        if problem is None:
            self._acknowledge(verb, done.result())
        else:
            self._refuse(verb, problem)

    def _acknowledge(self, verb: Write, receipt: Receipt) -> None:
        ack = events.Ack(
            id=getattr(verb, "id", None),
            room=receipt.room,
            seq=receipt.seq,
            version=receipt.version,
            nonce=verb.nonce,
            duplicate=receipt.is_repeat,
        )
        self._tell(ack)

    # What only the simple dialects ask

    def echo(self, request: dialects.Echo) -> None:
        self._send(request.frame)

    def who(self, request: dialects.Who) -> None:
        if (room := self._places.room(request.room)) is not None:
            self._send_line("Here: " + ", ".join(self._runtime.presence.online(room.id)))

    def say(self, request: dialects.Say) -> None:
        self._send_line(request.text)

    def quit(self, request: dialects.Quit) -> None:
        self._hang_up(NORMAL_CLOSE)

    def _send_line(self, text: str) -> None:
        self._send(Frame(text.encode()))


HANDLERS: dict[type, Callable[[Requests, Any], Awaitable[None] | None]] = {
    verbs.Join: Requests.join,
    verbs.Leave: Requests.leave,
    verbs.Look: Requests.look,
    verbs.History: Requests.history,
    verbs.Post: Requests.write,
    dialects.PostBinary: Requests.write,
    verbs.Edit: Requests.change,
    verbs.Delete: Requests.change,
    verbs.React: Requests.change,
    verbs.Read: Requests.read,
    verbs.Typing: Requests.typing,
    dialects.Echo: Requests.echo,
    dialects.Who: Requests.who,
    dialects.Say: Requests.say,
    dialects.Quit: Requests.quit,
}
