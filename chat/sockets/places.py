"""The rooms that one connection is in, and those that it may see: joined, looked at, left, taken away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from chat import database, limits
from chat.live import catch_up
from chat.live.hub import Hub
from chat.live.room import ActiveRoom, Member
from chat.rooms import visible
from chat.rooms.visible import RoomView
from chat.wire import events, verbs


class Places:
    """The places of one connection.

    `member()` makes it a member of one more room; `entered(room)` and `left(room, on_purpose)` are told of it.
    """

    def __init__(
        self,
        hub: Hub,
        user_id: int,
        member: Callable[[], Member],
        entered: Callable[[ActiveRoom], None],
        left: Callable[[ActiveRoom, bool], None],
    ):
        self._hub, self._user_id = hub, user_id
        self._member, self._entered, self._left = member, entered, left
        self._joined: dict[str, tuple[ActiveRoom, Member]] = {}
        self._looks_at: set[str] | None = None  # None: at all of them
        self._views: dict[str, RoomView] = {}
        self._views_version = 0
        self._held: set[int] = set()  # ids of rooms joined or seen, and of those left since
        self._out_of_step: dict[str, tuple[int, float]] = {}

    def room(self, slug: str) -> ActiveRoom | None:
        """The room, where this connection is in it."""
        return self._joined[slug][0] if slug in self._joined else None

    def room_ids(self) -> list[int]:
        return [room.id for room, _ in self._joined.values()]

    # What may be seen

    def know(self, views: Iterable[RoomView]) -> None:
        self._views |= {view.slug: view for view in views}
        self._held.update(view.id for view in self._views.values())

    def read_moved(self, slug: str, ordinal: int) -> bool:
        """Remember how far the person has read elsewhere; say whether that is further than this connection knew."""
        if (view := self._views.get(slug)) is None:
            return True
        if ordinal > view.read:
            self._views[slug] = view._replace(read=ordinal)
        return ordinal > view.read

    def known(self, slug: str) -> RoomView | None:
        return self._views.get(slug)

    async def view(self, slug: str) -> RoomView:
        """The room, if this person may see it. Remembered until a notice says to look again."""
        while slug not in self._views:
            version = self._views_version
            view = await database.readers.run(visible.room, self._user_id, slug)
            if version == self._views_version:
                self._views[slug] = view
                self._held.add(view.id)
        return self._views[slug]

    def holds(self, room_id: int) -> bool:
        """Whether a change of the room's access may concern this connection."""
        return room_id in self._held

    def doubt_views(self) -> None:
        """What is on its way from the database may be out of date."""
        self._views_version += 1

    def forget_views(self) -> None:
        """What was seen of rooms may be out of date too."""
        self._views.clear()
        self._held = set(self.room_ids())
        self.doubt_views()

    # Joining: subscribed first, read second, merged by number

    async def join(self, verb: verbs.Join) -> tuple[events.Joined | events.Resync, ActiveRoom | None]:
        """The answer; and the room, if this connection is in it from this turn of the loop on."""
        while True:
            view, version = await self.view(verb.room), self._views_version
            room = await self._hub.open(view.id, view.slug, view.title)
            try:
                answer = await catch_up.page(self._hub, room, verb)
            except BaseException:
                self._hub.give_up(room)
                raise
            if version == self._views_version:
                if isinstance(answer, events.Joined):
                    answer.role = view.role
                return self._enter(room, answer)
            self._hub.give_up(room)  # a notice came meanwhile: may they still?

    def _enter(
        self, room: ActiveRoom, answer: events.Joined | events.Resync
    ) -> tuple[events.Joined | events.Resync, ActiveRoom | None]:
        if not isinstance(answer, events.Joined) or answer.more:
            self._hub.give_up(room)
            return answer, None
        if room.slug in self._joined:
            self._hub.give_up(room)
        else:
            member = self._member()
            member.looks = self._looks_at is None or room.slug in self._looks_at
            self._hub.join(room, member)
            self._joined[room.slug] = (room, member)
            self._held.add(room.id)
            self._entered(room)
        return answer, room

    def look(self, slugs: Iterable[str]) -> list[ActiveRoom]:
        """Look at these rooms only; return those of them in which this connection is."""
        self._looks_at = set(slugs)
        for slug, (room, member) in self._joined.items():
            room.look(member, slug in self._looks_at)
        return [room for slug, (room, _) in self._joined.items() if slug in self._looks_at]

    def leave(self, slug: str, on_purpose: bool) -> None:
        if (joined := self._joined.pop(slug, None)) is not None:
            room, member = joined
            self._hub.leave(room, member)
            self._left(room, on_purpose)

    def leave_all(self) -> None:
        for slug in list(self._joined):
            self.leave(slug, on_purpose=False)

    def removed_from(self, room_id: int) -> list[str]:
        """The room was taken away: nothing more of it comes here. Returns the addresses that are left with it."""
        slugs = [slug for slug, (room, _) in self._joined.items() if room.id == room_id]
        for slug in slugs:
            self.leave(slug, on_purpose=True)
        return slugs

    # Clients that have lost something without knowing

    def joins_wanting(self, at: Mapping[str, int]) -> list[verbs.Join]:
        """What a client would ask that knew what it lacks: it reports the same wrong position for too long.

        Or it believes to be in a room in which this connection is not. A few rooms at a time, whatever it says.
        """
        now, was, self._out_of_step = time.monotonic(), self._out_of_step, {}
        joins: list[verbs.Join] = []
        for slug, version in sorted(at.items(), key=lambda one: one[0] not in self._joined):
            may_add = len(joins) + len(self._out_of_step) < limits.REQUESTS_IN_FLIGHT
            if may_add and version != self._head_here(slug):
                reported, since = was.get(slug, (version, now))
                if reported == version and now - since >= limits.OUT_OF_STEP_S:
                    joins.append(verbs.Join(room=slug, after=version))
                else:
                    self._out_of_step[slug] = (version, since if reported == version else now)
        return joins

    def _head_here(self, slug: str) -> int | None:
        return self._joined[slug][0].feed.head if slug in self._joined else None
