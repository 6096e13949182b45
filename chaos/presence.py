"""Checks of presence: who is there, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator

from .history import FOREVER, Evidence, Story
from .index import Case, Index

ONLINE_AT_MOST_S = 45.0
FLAP_S = 10.0
FLAP_EXCUSED_S = 75.0


def presence_at_the_end(index: Index) -> Iterator[Case]:
    """Everybody who is there, and nobody else, on every server and before everybody's eyes."""
    dying = {story.name for story in index.stories if index.evidence.ended < story.died_at + ONLINE_AT_MOST_S < FOREVER}
    for server, rooms in index.evidence.online.items():
        for room, names in rooms.items():
            if names - dying != (there := index.living_in(room)):
                yield Case("presence", f"server {server}, {room}: {_unlike(names, there)}")
    for story, room, view in index.views():
        if view.online - dying != (there := index.living_in(room)):
            yield Case("presence", f"{story.name} in {room}: {_unlike(view.online, there)}", person=story.name)


def _unlike(names: set[str], there: set[str]) -> str:
    return f"missing {sorted(there - names)}, too many {sorted(names - there)}"


def presence_of_the_dead(index: Index) -> Iterator[Case]:
    """Nobody is taken for online long after death. Whoever got a list without them need not be told."""
    for dead in index.stories:
        until = dead.died_at + ONLINE_AT_MOST_S
        if dead.died_at == FOREVER or until > index.evidence.ended:
            continue
        for story in index.living:
            for room in story.views.keys() & dead.views.keys():
                watched = any(span.holds(dead.died_at, until + 1) for span in story.spans)
                if watched and _takes_for_online(story, room, dead.name, until + 1):
                    what = f"{story.name} was not told in {room} that {dead.name} is gone"
                    yield Case("presence", what, person=story.name, at=until)


def _takes_for_online(story: Story, room: str, name: str, at: float) -> bool:
    """By the last list before that moment and what was told since."""
    lists = [roster for roster in story.rosters if roster.room == room and roster.at <= at]
    if not lists:
        return False
    told = [h.is_here for h in story.heard if (h.room, h.name) == (room, name) and lists[-1].at <= h.at <= at]
    return told[-1] if told else name in lists[-1].names


def presence_flaps(index: Index) -> Iterator[Case]:
    """Told that somebody left, who was there a moment ago. Silence between the processes is an excuse."""
    spans = {story.name: story.spans for story in index.stories}
    for story in index.stories:
        for heard in story.heard:
            if heard.is_here or heard.name not in spans:
                continue
            was_there = any(span.began < heard.at and span.ended > heard.at - FLAP_S for span in spans[heard.name])
            if was_there and not _was_silent(index.evidence, heard.at):
                yield Case("presence", f"{story.name} was told that {heard.name} left", person=heard.name, at=heard.at)


def _was_silent(evidence: Evidence, at: float) -> bool:
    return any(
        strike.overlaps(at - FLAP_EXCUSED_S, at)
        for strike in evidence.strikes
        if "valkey" in strike.touched or strike.kind == "stop"
    )
