"""One connection's side of the chat, from hello to bye. It knows no transport: it is given one."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable
from typing import Any, Protocol

from django.conf import settings

from accounts.identity import Person
from chat import limits
from chat.live.rate_limits import Offences
from chat.live.room import ActiveRoom, Member
from chat.live.runtime import Runtime
from chat.messages.entries import Write
from chat.rooms.visible import RoomView
from chat.wire import codec, events, verbs
from chat.wire.closes import Close
from chat.wire.dialects import Dialect, Request
from chat.wire.frame import Frame
from chat.wire.refusals import BrokenFrame, Refusal

from .intake import Intake
from .places import Places
from .requests import Requests

logger = logging.getLogger("chat.participant")


class Transport(Protocol):
    """A socket, as a participant uses it. Nothing here waits; `deliver` is False when too much waits already."""

    def deliver(self, frame: Frame) -> bool: ...
    def hang_up(self, code: int) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Participant:
    """One connection's side of the chat."""

    def __init__(self, runtime: Runtime, person: Person, dialect: Dialect, transport: Transport):
        self.id = runtime.connections.next_id()
        self.person = person
        self.dialect = dialect
        self.heard_at = time.monotonic()
        self._runtime = runtime
        self._transport = transport
        self._deliver = transport.deliver
        self._before_hello: list[Frame] | None = []
        self._read_before_hello: tuple[events.ReadMoved, ...] = ()
        self._is_over = False
        self._too_fast = Offences(limits.RATE_LIMITED_PER_MINUTE)
        self._broken = Offences(limits.BROKEN_FRAMES_PER_MINUTE)
        self._places = Places(runtime.hub, person.user_id, self._member, self._entered, self._left)
        self._requests = Requests(runtime, self, self._places, self._send, self.refuse, self._hang_up)
        self._intake = Intake(self._do, self._requests.has_to_wait, self.refuse, transport.pause, transport.resume)
        self._requests.intake = self._intake

    # From hello to bye

    async def open(self, accepted_at: float) -> None:
        """Be known to the others, and say hello. Known first: what is told while rooms are read comes behind hello."""
        self._runtime.add(self, accepted_at)
        views = await self._runtime.own_rooms(self.person)
        self._places.know(views)
        self._say_hello(views)
        for event in self._read_before_hello:
            self.read_moved(event)
        if self.dialect.room is not None:
            await self._enter_the_only_room(self.dialect.room)

    def close(self, is_by_peer: bool) -> None:
        """Leave everything; the connection is over. What a client wrote right before leaving is kept."""
        for request in self._intake.close():
            if is_by_peer and isinstance(request, Write):
                self._intake.do_now(request)
        self._places.leave_all()
        self._runtime.remove(self)

    def bye(self, code: Close, retry_after_s: float | None = None) -> None:
        """Say why, then close: a browser shows the reason of a frame, not of a close."""
        self._release(())
        self.tell(events.Bye(code=code, reason=code.reason, retry_after=retry_after_s))
        self._hang_up(code)

    def tell(self, event: events.Event) -> None:
        if (frame := self.dialect.encode_event(event)) is not None:
            self._send(frame)

    def read_moved(self, event: events.ReadMoved) -> None:
        """The person has read so far elsewhere: told where that is further, since hello or what came after it."""
        if self._before_hello is not None:
            self._read_before_hello += (event,)
        elif self._places.read_moved(event.room, event.read):
            self.tell(event)

    def _send(self, frame: Frame) -> None:
        if self._before_hello is not None:
            self._before_hello.append(frame)
        elif not self._deliver(frame):
            self._too_slow()

    def _release(self, first: tuple[Frame, ...]) -> None:
        """From now on frames go out at once; behind `first`, those that had to wait for it."""
        waiting, self._before_hello = self._before_hello or [], None
        for frame in [*first, *waiting]:
            self._send(frame)

    def _hang_up(self, code: int) -> None:
        self._is_over = True
        self._transport.hang_up(code)

    def _too_slow(self) -> None:
        """More waits for this reader than may."""
        self._hang_up(Close.TOO_SLOW)

    @property
    def sends_heartbeats(self) -> bool:
        return self.dialect.sends_heartbeats

    def _say_hello(self, views: list[RoomView]) -> None:
        hello = events.Hello(
            name=self.person.name,
            connection=self.id,
            process=self._runtime.process,
            rooms=[events.RoomState(view.slug, view.title, view.head, view.last, view.read) for view in views],
            heartbeat={"interval": limits.HEARTBEAT_INTERVAL_S, "timeout": limits.HEARTBEAT_TIMEOUT_S},
            limits=_limits(),
            now=codec.now(),
        )
        frame = self.dialect.encode_event(hello)
        self._release(() if frame is None else (frame,))

    async def _enter_the_only_room(self, slug: str) -> None:
        """A simple dialect speaks in one room; where it may not, it has nothing to do here."""
        try:
            await self._requests.join(verbs.Join(room=slug))
        except Refusal as refusal:
            self.refuse(None, refusal)
            self.bye(Close.FORBIDDEN)

    # What comes in

    def heard(self) -> None:
        """Any frame is a sign of life."""
        self.heard_at = time.monotonic()
        self._runtime.newcomers.heard_from(self)

    def take_text(self, text: str) -> None:
        self.heard()
        if len(text) > limits.FRAME_LIMIT_BYTES or len(text.encode()) > limits.FRAME_LIMIT_BYTES:
            self._refuse_frame(BrokenFrame("too_long", f"A frame has at most {limits.FRAME_LIMIT_BYTES:,} bytes."))
            return
        for request in self.dialect.decode(text):
            if isinstance(request, BrokenFrame):
                self._refuse_frame(request)
            else:
                self._take(request)

    def take_bytes(self, data: bytes) -> None:
        self.heard()
        if len(data) > limits.BINARY_LIMIT_BYTES:
            limit = f"{limits.BINARY_LIMIT_BYTES:,}"
            self._refuse_frame(BrokenFrame("too_long", f"A binary frame has at most {limit} bytes."))
            return
        try:
            request = self.dialect.decode_bytes(data)
        except BrokenFrame as broken:
            self._refuse_frame(broken)
        else:
            self._take(request)

    async def caught_up(self) -> None:
        """Wait while too much of what came is still to be done."""
        await self._intake.caught_up()

    def _take(self, request: Request) -> None:
        """A heartbeat overtakes what waits: it is how a client knows that we live."""
        if self._is_over:
            return
        if isinstance(request, verbs.Heartbeat):
            self._requests.heartbeat(request)
        else:
            self._intake.take(request)

    def _do(self, request: Request) -> Awaitable[None] | None:
        return None if self._is_over else self._requests.do(request)

    # Rooms: joined and taken away

    def _member(self) -> Member:
        return Member(type(self.dialect), self._deliver, self._too_slow)

    def _entered(self, room: ActiveRoom) -> None:
        self._runtime.presence.entered(room.id, self.person.name)

    def _left(self, room: ActiveRoom, on_purpose: bool) -> None:
        self._runtime.presence.left(room.id, self.person.name, on_purpose)

    def room_ids(self) -> list[int]:
        return self._places.room_ids()

    def holds(self, room_id: int) -> bool:
        return self._places.holds(room_id)

    def doubt_views(self) -> None:
        self._places.doubt_views()

    def forget_views(self) -> None:
        self._places.forget_views()

    def removed_from(self, room_id: int) -> None:
        for slug in self._places.removed_from(room_id):
            self.tell(events.Left(room=slug, reason="removed"))
            if self.dialect.room is not None:
                self.bye(Close.FORBIDDEN)

    # Refusing

    def refuse(self, request: Any, problem: BaseException) -> None:
        """One exception becomes one error frame."""
        if not isinstance(problem, Refusal):
            logger.error("%s by %s failed", type(request).__name__, self.person.name, exc_info=problem)
            problem = Refusal("internal", "Something went wrong here.")
        error = events.Error(
            id=getattr(problem if request is None else request, "id", None),
            code=problem.code,
            message=problem.message,
            retry_after=problem.retry_after,
            room=getattr(request, "room", None),
            nonce=getattr(request, "nonce", None),
        )
        self.tell(error)
        if problem.code == "rate_limited" and self._too_fast.add():
            self.bye(Close.RATE_LIMITED)

    def _refuse_frame(self, broken: BrokenFrame) -> None:
        self.refuse(None, broken)
        if self._broken.add():
            self.bye(Close.PROTOCOL_BROKEN)


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
