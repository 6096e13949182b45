"""Checks of attention: how far people have read, and who types."""

from __future__ import annotations

from collections.abc import Iterator

from .history import FOREVER
from .index import Case, Index


def lost_readings(index: Index) -> Iterator[Case]:
    """Everybody who is still there has read everything, said so in peace, and the database knows."""
    kept = index.evidence.kept
    for story, room, _ in index.views():
        last = max((row.ordinal for row in kept.rooms.get(room, ())), default=0)
        if (read := kept.read.get((room, story.name), 0)) != last:
            what = f"{story.name} has read all {last} of {room}, the database has {read}"
            yield Case("lost", what, person=story.name)


def ghost_readings(index: Index) -> Iterator[Case]:
    """Nobody has read further than they said."""
    said = {(room, story.name): ordinal for story in index.stories for room, ordinal in story.read.items()}
    for (room, name), ordinal in index.evidence.kept.read.items():
        if ordinal > said.get((room, name), 0):
            what = f"{name} has read {room} up to {ordinal}, and said {said.get((room, name), 0)}"
            yield Case("ghost", what, person=name)


def ghost_typing(index: Index) -> Iterator[Case]:
    """Somebody was seen typing who had not typed there."""
    typed = {(room, story.name): at for story in index.stories for room, at in story.typed.items()}
    for story in index.stories:
        for (room, name), at in story.saw_typing.items():
            if at < typed.get((room, name), FOREVER):
                yield Case("ghost", f"{story.name} saw {name} type in {room}, who did not", person=story.name, at=at)
