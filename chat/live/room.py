"""A room with somebody in it here: its members, and what leaves for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from chat import limits
from chat.wire import codec, events
from chat.wire.change import Change, without_overtaken
from chat.wire.dialects import ChatV1, Dialect
from chat.wire.frame import Frame

from .feed import Feed

Deliver = Callable[[Frame], bool]


class Member:
    """One connection in one room of this process. `deliver` is False when its reader is too slow, who is told then.

    `looks`: it wants to know who is here, who comes and goes, and who types.
    """

    __slots__ = ("deliver", "dialect", "looks", "too_slow")

    def __init__(self, dialect: type[Dialect], deliver: Deliver, too_slow: Callable[[], None], looks: bool = True):
        self.dialect = dialect
        self.deliver = deliver
        self.too_slow = too_slow
        self.looks = looks


class ActiveRoom:
    """Its feed, its members, and what leaves at the end of this turn."""

    def __init__(self, id: int, slug: str, title: str, epoch: str, floor: int, feed: Feed):
        self.id, self.slug, self.title, self.epoch, self.floor = id, slug, title, epoch, floor
        self.feed = feed
        self.members: set[Member] = set()
        self.lookers: set[Member] = set()
        self.arriving = 0
        self.typing: dict[str, bool] = {}
        self.outgoing: list[Change] = []
        self.amended_at = self.rests_until = 0.0
        self.is_awaited = False
        self.filling: asyncio.Task[None] | None = None

    def add(self, member: Member) -> None:
        self.members.add(member)
        self.look(member, member.looks)

    def discard(self, member: Member) -> None:
        self.members.discard(member)
        self.lookers.discard(member)

    def look(self, member: Member, looks: bool) -> None:
        """Whether the member wants to know who is here, who comes and goes, and who types."""
        member.looks = looks
        (self.lookers.add if looks else self.lookers.discard)(member)

    def tell(self, event: events.Event) -> None:
        """Say something that is not a change to every member whose dialect has a word for it."""
        self._deliver(self.members, lambda dialect: _one(dialect, event))

    def tell_those_who_look(self, event: events.Event) -> None:
        self._deliver(self.lookers, lambda dialect: _one(dialect, event))

    def tell_typing(self) -> None:
        typing, self.typing = self.typing, {}
        names = sorted(name for name, is_on in typing.items() if is_on)
        stopped = sorted(typing.keys() - names)
        self.tell_those_who_look(events.TypingNames(room=self.slug, names=names, stopped=stopped))

    def retitle(self, title: str) -> None:
        if title != self.title:
            self.title = title
            self.tell(events.RoomChanged(room=self.slug, title=title))

    def may_wait(self, changes: list[Change], now: float) -> bool:
        """Edits and reactions need not be told one by one, where others were told a moment ago."""
        if any(change.version == change.seq for change in changes):
            return False
        return now - self.amended_at < limits.AMENDMENTS_COALESCED_S

    def flush(self, time: Callable[[], float]) -> None:
        """Send what became due as few frames as the dialects can.

        Where that takes long, the room rests for as long again: others get their turn, and what is said meanwhile goes
        out in one frame instead of several, which costs thousands of readers (and the process) a fraction.
        """
        self.is_awaited = False
        changes, self.outgoing = self.outgoing, []
        if not changes:
            return
        began = time()
        if any(change.version != change.seq for change in changes):
            self.amended_at = began
        told = without_overtaken(changes)
        self._deliver(self.members, lambda dialect: dialect.encode_changes(told))
        ended = time()
        if ended - began >= limits.LONG_DELIVERY_S:
            self.rests_until = ended + (ended - began)

    def tell_states(self, after: int, states: list[Change], moved: list[Change]) -> None:
        """Say what was read from the database: numbers are skipped, so clients that count are told how far it goes.

        `moved`: created up to there, and changed beyond it; the change comes later.
        """
        joined = events.Joined(
            room=self.slug,
            title=self.title,
            epoch=self.epoch,
            after=after,
            head=self.feed.head,
            messages=[msgspec.Raw(state.body) for state in [*states, *moved]],
        )
        page = Frame(codec.encode(joined))
        self._deliver(self.members, lambda dialect: [page] if dialect is ChatV1 else dialect.encode_changes(states))

    def _deliver(self, members: Iterable[Member], frames_of: Callable[[type[Dialect]], list[Frame]]) -> None:
        """The frames are made once for each dialect; nothing is awaited between two members."""
        frames: dict[type[Dialect], list[Frame]] = {}
        for member in list(members):
            if (mine := frames.get(member.dialect)) is None:
                mine = frames[member.dialect] = frames_of(member.dialect)
            for frame in mine:
                if not member.deliver(frame):
                    member.too_slow()


def _one(dialect: type[Dialect], event: events.Event) -> list[Frame]:
    frame = dialect.encode_event(event)
    return [] if frame is None else [frame]
