"""What the server says to somebody, taken to their rooms and into their story."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rig.line import Event

from .history import Story, now
from .reading import Reading
from .watched_room import WatchedRoom


class Hearing:
    """Takes events, a method for each type. `catch_up(room)` is called whenever a room may lack something."""

    def __init__(
        self,
        story: Story,
        rooms: Mapping[str, WatchedRoom],
        reading: Reading,
        catch_up: Callable[[WatchedRoom], None],
    ):
        self._story = story
        self._rooms = rooms
        self._reading = reading
        self._catch_up = catch_up

    def take(self, event: Event) -> None:
        """An event of a room that its owner is not in is an error, whatever it says."""
        if "room" in event and event["room"] not in self._rooms:
            self._story.errors.append((now(), "not there", f"heard of {event['room']}: {event['type']}"))
        elif hear := getattr(self, f"_hear_{event['type']}", None):
            hear(event)

    def _hear_hello(self, hello: Event) -> None:
        for state in hello["rooms"]:
            self._reading.known(state["room"], state["read"])
        self._reading.resume()
        for room in self._rooms.values():
            self._catch_up(room)

    def _hear_message(self, event: Event) -> None:
        room = self._rooms[event["room"]]
        room.live(event)
        self._see(room)
        self._catch_up(room)

    _hear_reaction = _hear_message

    def _hear_joined(self, page: Event) -> None:
        room = self._rooms[page["room"]]
        room.joined(page)
        self._see(room)
        if (online := page.get("online")) is not None:
            self._story.is_shown(page["room"], online["names"])
        self._catch_up(room)

    def _hear_history(self, page: Event) -> None:
        self._rooms[page["room"]].earlier(page)

    def _hear_resync(self, resync: Event) -> None:
        self._rooms[resync["room"]].resync()
        self._catch_up(self._rooms[resync["room"]])

    def _hear_presence(self, presence: Event) -> None:
        self._story.hears_presence(presence)

    def _hear_typing(self, typing: Event) -> None:
        self._story.sees_typing(typing)

    def _hear_read(self, read: Event) -> None:
        self._reading.known(read["room"], read["read"])

    def _hear_error(self, error: Event) -> None:
        self._story.errors.append((now(), error["code"], error["message"]))

    def _hear_left(self, left: Event) -> None:
        self._story.errors.append((now(), "left", f"sent out of {left['room']}"))

    def _see(self, room: WatchedRoom) -> None:
        """The owner looks at all of their rooms at once."""
        if room.latest is not None:
            self._reading.seen(room.latest)
