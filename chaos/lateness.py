"""Checks of time: what was acknowledged is shown soon."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from .history import FOREVER, Evidence, Shown, Span, Story, Strike, Write
from .index import Case, Index

LATE_AFTER_S = 5.0  # promised: 2 s; the rest is for a machine that is shared
STOPPED_GRACE_S = 5.0
DATABASE_GRACE_S = 8.0


def late(index: Index) -> Iterator[Case]:
    """Acknowledged, and not shown in time to somebody who was there and caught up, while their server could work."""
    for story in index.stories:
        for post, seen_at, span in deliveries(index.evidence, story):
            limit = post.acked_at + LATE_AFTER_S
            is_late = seen_at > limit and span.holds(post.acked_at, limit)
            if is_late and not _excused(index.evidence, span, post.acked_at):
                delay = "never" if seen_at == FOREVER else f"after {seen_at - post.acked_at:.1f} s"
                what = f"{post.room} {post.acks[0]['seq']} came to {story.name} {delay}"
                yield Case("late", what, (post,), story.name, post.acked_at)


def deliveries(evidence: Evidence, story: Story) -> Iterator[tuple[Write, float, Span]]:
    """Every post acknowledged while this person was there, when they saw it, and their time there."""
    begins = [span.began for span in story.spans]
    seen = {room: _first_seen(view.shown) for room, view in story.views.items()}
    for other in evidence.stories:
        for post in other.writes:
            is_theirs = post.kind == "post" and post.room in story.views
            if is_theirs and post.acks and post.acked_at < evidence.ended - LATE_AFTER_S:
                number = bisect_right(begins, post.acked_at) - 1
                if number >= 0 and story.spans[number].ended > post.acked_at:
                    seen_at = seen.get(post.room, {}).get(post.acks[0]["seq"], FOREVER)
                    yield post, seen_at, story.spans[number]


def _first_seen(shown: Iterable[Shown]) -> dict[int, float]:
    first: dict[int, float] = {}
    for one in shown:
        first.setdefault(one.seq, one.at)
    return first


def _excused(evidence: Evidence, span: Span, acked_at: float) -> bool:
    """The server of that person stood still, or nobody could read the database, or this program did not get on."""
    return any(
        strike.overlaps(acked_at - grace_s, acked_at + LATE_AFTER_S)
        for strike in evidence.strikes
        for grace_s in _grace_of(strike, span.server)
    ) or any(began < acked_at + LATE_AFTER_S and acked_at < ended for began, ended in evidence.stalls)


def _grace_of(strike: Strike, server: int) -> list[float]:
    if strike.kind == "stop" and server in strike.touched:
        return [STOPPED_GRACE_S]
    return [DATABASE_GRACE_S] if "database" in strike.touched else []
