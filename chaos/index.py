"""The evidence, the ways to look things up in it, and what a check finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from .history import FOREVER, Evidence, Row, Story, View, Write


@dataclass
class Case:
    """One thing that is wrong, and where to look: whose writes, which person, when."""

    kind: str
    what: str
    writes: tuple[Write, ...] = ()
    person: str | None = None
    at: float | None = None


class Index:
    """The evidence, and the ways to look things up in it."""

    def __init__(self, evidence: Evidence):
        self.evidence = evidence
        self.stories = evidence.stories
        self.living = [story for story in evidence.stories if story.died_at == FOREVER and not story.sent_away]
        self.writes = [write for story in evidence.stories for write in story.writes]
        self.posts = [write for write in self.writes if write.kind == "post"]
        self.post_by_nonce = {(post.room, post.author, post.nonce): post for post in self.posts}
        self.rows = [(room, row) for room, rows in evidence.kept.rooms.items() for row in rows]
        self.row_at = {(room, row.seq): row for room, row in self.rows}
        self.rows_of: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for room, row in self.rows:
            self.rows_of[room, row.author, row.nonce].append(row)

    def living_in(self, room: str) -> set[str]:
        """The names of those who are still there and sit in that room."""
        return {story.name for story in self.living if room in story.views}

    def post_at(self, room: str, seq: int) -> tuple[Write, ...]:
        row = self.row_at.get((room, seq))
        post = row and self.post_by_nonce.get((room, row.author, row.nonce))
        return (post,) if post else ()

    def views(self) -> Iterator[tuple[Story, str, View]]:
        """Of those who are still there and caught up."""
        for story in self.living:
            for room, view in story.views.items():
                if view.is_live:
                    yield story, room, view
