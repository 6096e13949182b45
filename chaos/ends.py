"""Checks of ends: nothing stuck, nobody sent away, no error and no traceback without a cause."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .history import Blackout, Evidence, Story
from .index import Case, Index

CLOSE_EXCUSED_S = 30.0
ACCEPTED_ERRORS = {"rate_limited", "unavailable", "not_found"}
COMPLAINT = re.compile(r"^.*\n?Traceback \(most recent.*\n(?:[ \t].*\n|\n)*.*", re.MULTILINE)
# Tracebacks that are not ours to prevent: each with its reason. None so far.
KNOWN_COMPLAINTS: tuple[re.Pattern[str], ...] = ()


def stuck(index: Index) -> Iterator[Case]:
    for story in index.living:
        for write in story.writes:
            if not write.is_settled:
                yield Case("stuck", f"{story.name}'s {write.kind} {write.number} has no answer", (write,), story.name)
        for room, view in story.views.items():
            if not view.is_live:
                yield Case("stuck", f"{story.name} did not catch up in {room}", person=story.name)


def sent_away(index: Index) -> Iterator[Case]:
    """Nobody was banned, so nobody may be told to stay away."""
    for story in index.stories:
        if story.sent_away is not None:
            at, code = story.sent_away
            yield Case("sent away", f"{story.name} was closed with {code}", person=story.name, at=at)


def unexplained(index: Index) -> Iterator[Case]:
    """A connection that ended though nothing had befallen it: Redis and the database are no reason."""
    for story in index.stories:
        for blackout in story.blackouts:
            if cause_of(index.evidence, story, blackout) is None:
                what = f"{story.name} was cut off server {blackout.server} with {blackout.code}"
                yield Case("unexplained", what, person=story.name, at=blackout.closed_at)


def cause_of(evidence: Evidence, story: Story, blackout: Blackout) -> str | None:
    """The latest fault that touched this person or their server before the connection ended."""
    touching = [
        strike
        for strike in evidence.strikes
        if strike.overlaps(blackout.closed_at - CLOSE_EXCUSED_S, blackout.closed_at + 1)
        and (story.name in strike.touched or blackout.server in strike.touched)
    ]
    if touching:
        return max(touching, key=lambda strike: strike.began).kind
    stalled = any(began - 1 < blackout.closed_at < ended + CLOSE_EXCUSED_S for began, ended in evidence.stalls)
    return "this machine" if stalled else None


def errors(index: Index) -> Iterator[Case]:
    for story in index.stories:
        for at, code, message in story.errors:
            if code not in ACCEPTED_ERRORS:
                yield Case("errors", f"{story.name} was told {code}: {message}", person=story.name, at=at)
    for post in index.posts:
        if post.refused:
            yield Case("errors", f"{post.author}'s post was refused: {post.refused}", (post,))
    for strike in index.evidence.strikes:
        if "did not stop" in strike.note:
            yield Case("errors", f"{strike.note} after SIGTERM", at=strike.began)


def complaints(index: Index) -> Iterator[Case]:
    """A traceback in a server's log."""
    for found in COMPLAINT.finditer(index.evidence.logs):
        if not any(known.search(found[0]) for known in KNOWN_COMPLAINTS):
            yield Case("complaints", found[0])
