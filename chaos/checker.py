"""Judges a run: compares what was acknowledged with the database, and the database with what everybody ended up with.

Each check is a function from the evidence to the cases it finds. `check` calls them all; any case fails the run.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from .history import FOREVER, Blackout, Evidence, Message, Row, Shown, Span, Story, Strike, View, Write

LATE_AFTER_S = 5.0  # promised: 2 s; the rest is for a machine that is shared
STOPPED_GRACE_S = 5.0
DATABASE_GRACE_S = 8.0
ONLINE_AT_MOST_S = 45.0
FLAP_S = 10.0
FLAP_EXCUSED_S = 75.0
CLOSE_EXCUSED_S = 30.0

ACCEPTED_ERRORS = {"rate_limited", "unavailable", "not_found"}

COMPLAINT = re.compile(r"^.*\n?Traceback \(most recent.*\n(?:[ \t].*\n|\n)*.*", re.MULTILINE)

# Tracebacks that are not ours to prevent: each with its reason. None so far.
KNOWN_COMPLAINTS: tuple[re.Pattern[str], ...] = ()


@dataclass
class Case:
    """One thing that is wrong, and where to look: whose writes, which person, when."""

    kind: str
    what: str
    writes: tuple[Write, ...] = ()
    person: str | None = None
    at: float | None = None


def check(evidence: Evidence) -> list[Case]:
    index = _Index(evidence)
    return [case for find in CHECKS for case in find(index)]


class _Index:
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


# Lost ------------------------------------------------------------------------------------------------------


def lost_posts(index: _Index) -> Iterator[Case]:
    for post in index.posts:
        if post.acks and not index.rows_of[post.room, post.author, post.nonce]:
            yield Case("lost", f"{post.text[:40]!r} was acknowledged and is not in the database", (post,))


def lost_on_the_way(index: _Index) -> Iterator[Case]:
    for story, room, view in index.views():
        for row in index.evidence.kept.rooms.get(room, ()):
            if row.seq not in view.messages:
                what = f"{room} {row.seq} is in the database and never reached {story.name}"
                yield Case("lost", what, index.post_at(room, row.seq), story.name)


def lost_changes(index: _Index) -> Iterator[Case]:
    """An acknowledged edit, deletion or reaction that the database does not show, nor a later one by the same."""
    for (room, seq, _, aspect), writes in _changes_by_place(index).items():
        row = index.row_at.get((room, seq))
        if row is None:
            continue
        allowed = _possible(writes)
        if allowed and not any(_shows(row, write) for write in allowed):
            yield Case("lost", f"{room} {seq}: the acknowledged {aspect} is undone", tuple(writes[-4:]))


def _changes_by_place(index: _Index) -> dict[tuple[str, int, str, str], list[Write]]:
    places: defaultdict[tuple[str, int, str, str], list[Write]] = defaultdict(list)
    for write in index.writes:
        if write.kind != "post":
            aspect = f"{write.emoji} of {write.author}" if write.kind == "react" else write.kind
            places[write.room, write.seq, write.author, aspect].append(write)
    return places


def _possible(writes: list[Write]) -> list[Write]:
    """The last one acknowledged, and what came after it with an outcome that nobody knows. Nothing acked: nothing."""
    acked = [number for number, write in enumerate(writes) if write.acks]
    if not acked:
        return []
    return [writes[acked[-1]], *(write for write in writes[acked[-1] + 1 :] if not write.is_settled)]


def _shows(row: Row, write: Write) -> bool:
    if row.is_deleted or write.kind == "delete":
        return row.is_deleted
    if write.kind == "edit":
        return row.text == write.text
    return (write.author in row.reactions.get(write.emoji, ())) == write.on


# Doubled ---------------------------------------------------------------------------------------------------


def doubled_rows(index: _Index) -> Iterator[Case]:
    for (room, author, nonce), rows in index.rows_of.items():
        if len(rows) > 1:
            seqs = ", ".join(str(row.seq) for row in rows)
            post = index.post_by_nonce.get((room, author, nonce))
            yield Case("doubled", f"{author}'s nonce {nonce} is at {room} {seqs}", (post,) if post else ())


def doubled_texts(index: _Index) -> Iterator[Case]:
    """The author's counter in the text, whatever became of the nonce."""
    first: dict[tuple[str, str], str] = {}
    for room, row in index.rows:
        if (found := re.match(r"(\S+ #\d+)", row.text)) is not None:
            place = f"{room} {row.seq}"
            if (known := first.setdefault((row.author, found[1]), place)) != place:
                yield Case("doubled", f"{found[1]!r} is at {known} and at {place}", index.post_at(room, row.seq))


def doubled_acks(index: _Index) -> Iterator[Case]:
    taken: dict[tuple[str, int], Write] = {}
    for post in index.posts:
        seqs = {ack["seq"] for ack in post.acks}
        if len(seqs) > 1:
            yield Case("doubled", f"{post.nonce} was acknowledged as {sorted(seqs)}", (post,))
        for seq in seqs:
            other = taken.setdefault((post.room, seq), post)
            if other is not post:
                yield Case("doubled", f"{post.room} {seq} was acknowledged to two", (other, post))


# Reordered -------------------------------------------------------------------------------------------------


def reordered_before_eyes(index: _Index) -> Iterator[Case]:
    """New messages appear in the order of their places, to everybody."""
    for story in index.stories:
        for room, view in story.views.items():
            for earlier, later in _neighbours(view.shown):
                if later.seq <= earlier.seq:
                    what = f"{story.name} saw {room} {later.seq} ({later.how}) after {earlier.seq} ({earlier.how})"
                    yield Case("reordered", what, index.post_at(room, later.seq), story.name, later.at)


def _neighbours(shown: Iterable[Shown]) -> Iterator[tuple[Shown, Shown]]:
    fresh = [one for one in shown if one.how != "history"]
    return ((earlier, later) for earlier, later in pairwise(fresh) if earlier.load == later.load)


def reordered_by_author(index: _Index) -> Iterator[Case]:
    """Who sends one after the other finds them in that order."""
    for story in index.stories:
        last: dict[str, Write] = {}
        for post in story.writes:
            if post.kind == "post" and post.acks:
                before = last.setdefault(post.room, post)
                if before.acks[0]["seq"] > post.acks[0]["seq"]:
                    what = f"{post.author}'s {before.number} comes after {post.number}"
                    yield Case("reordered", what, (before, post))
                last[post.room] = post


def reordered_places(index: _Index) -> Iterator[Case]:
    """What was shown or acknowledged at one place is kept at another."""
    for (room, _), message in index.evidence.states.by_number.items():
        rows = index.rows_of.get((room, message["author"], message["nonce"]), ())
        if rows and all(row.seq != message["seq"] for row in rows):
            what = f"{room} {message['seq']} was shown with what is kept at {rows[0].seq}"
            yield Case("reordered", what, index.post_at(room, rows[0].seq))
    for post in index.posts:
        rows = index.rows_of[post.room, post.author, post.nonce]
        if post.acks and rows and all(row.seq != post.acks[0]["seq"] for row in rows):
            yield Case("reordered", f"acknowledged as {post.acks[0]['seq']}, kept as {rows[0].seq}", (post,))


def reordered_numbers(index: _Index) -> Iterator[Case]:
    """The number line itself: no number twice, none missing at the end."""
    for room, rows in index.evidence.kept.rooms.items():
        for what in ("seq", "version"):
            numbers = sorted(getattr(row, what) for row in rows)
            for number, following in pairwise(numbers):
                if number == following:
                    yield Case("reordered", f"{room}: the {what} {number} is there twice")
        if [row.ordinal for row in sorted(rows)] != list(range(1, len(rows) + 1)) and any(row.ordinal for row in rows):
            yield Case("reordered", f"{room}: the ordinals are not 1, 2, 3 in the order of places")
        highest = max((row.version for row in rows), default=0)
        if (head := index.evidence.kept.heads[room]) != highest:
            yield Case("reordered", f"{room}: the head is {head}, the highest version {highest}")


# Ghosts ----------------------------------------------------------------------------------------------------


def ghosts(index: _Index) -> Iterator[Case]:
    """Shown to somebody, and not in the database."""
    told_by = index.evidence.states.told_by
    for (room, version), message in index.evidence.states.by_number.items():
        post = index.post_by_nonce.get((room, message["author"], message["nonce"]))
        writes = (post,) if post else ()
        if not index.rows_of.get((room, message["author"], message["nonce"])):
            what = f"{room} {message['seq']} {message['text'][:40]!r} was shown to {told_by[room, version]}"
            yield Case("ghost", what, writes, told_by[room, version])
        elif version > index.evidence.kept.heads[room]:
            yield Case("ghost", f"{room}: change {version} was shown, and the head is lower", writes)


def ghost_reactions(index: _Index) -> Iterator[Case]:
    asked = {(w.room, w.seq, w.emoji, w.author) for w in index.writes if w.kind == "react"}
    for room, row in index.rows:
        for emoji, names in row.reactions.items():
            for name in names:
                if (room, row.seq, emoji, name) not in asked:
                    yield Case("ghost", f"{room} {row.seq}: nobody asked for {emoji} of {name}")


# Different -------------------------------------------------------------------------------------------------


def different_from_database(index: _Index) -> Iterator[Case]:
    for story, room, view in index.views():
        if view.head != (head := index.evidence.kept.heads[room]):
            yield Case("different", f"{story.name} is at {room} {view.head}, the head is {head}", person=story.name)
        for row in index.evidence.kept.rooms.get(room, ()):
            message = view.messages.get(row.seq)
            if message is not None and (aspects := _differences(message, row)):
                what = f"{story.name} sees {room} {row.seq} otherwise: {aspects}"
                yield Case("different", what, index.post_at(room, row.seq), story.name)


def _differences(message: Message, row: Row) -> str:
    seen = {
        "version": message["version"],
        "author": message["author"],
        "nonce": message["nonce"],
        "text": message["text"],
        "is_edited": "edited_at" in message,
        "is_deleted": message.get("deleted", False),
        "reactions": message.get("reactions", {}),
    }
    unlike = {what: value for what, value in seen.items() if value != getattr(row, what)}
    return ", ".join(f"{what} {value!r}, kept {getattr(row, what)!r}" for what, value in unlike.items())


def different_states(index: _Index) -> Iterator[Case]:
    """One number, two states."""
    for known, first, other, second in index.evidence.states.contradictions:
        what = f"{known['room']} change {known['version']}: {first} was told {known}, {second} was told {other}"
        yield Case("different", what, index.post_at(known["room"], known["seq"]))


def different_from_written(index: _Index) -> Iterator[Case]:
    """A text that nobody wrote there, a deletion that nobody asked for."""
    written: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for write in index.writes:
        if write.kind == "edit":
            written[write.room, write.seq].add(write.text)
    deleted = {(write.room, write.seq) for write in index.writes if write.kind == "delete"}
    for room, row in index.rows:
        post = index.post_by_nonce.get((room, row.author, row.nonce))
        if row.is_deleted and (room, row.seq) not in deleted:
            yield Case("different", f"{room} {row.seq} was deleted by nobody", (post,) if post else ())
        elif post is None:
            yield Case("different", f"{room} {row.seq} by {row.author} was written by nobody")
        elif not row.is_deleted and row.text != post.text and row.text not in written[room, row.seq]:
            yield Case("different", f"{room} {row.seq} has the text {row.text[:40]!r} from nowhere", (post,))


# Late ------------------------------------------------------------------------------------------------------


def late(index: _Index) -> Iterator[Case]:
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
            if post.kind == "post" and post.acks and post.acked_at < evidence.ended - LATE_AFTER_S:
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


# Presence --------------------------------------------------------------------------------------------------


def presence_at_the_end(index: _Index) -> Iterator[Case]:
    """Everybody who is there, and nobody else, on every server and before everybody's eyes."""
    there = {story.name for story in index.living}
    dying = {story.name for story in index.stories if index.evidence.ended < story.died_at + ONLINE_AT_MOST_S < FOREVER}
    for server, rooms in index.evidence.online.items():
        for room, names in rooms.items():
            if names - dying != there:
                yield Case("presence", f"server {server}, {room}: {_unlike(names, there)}")
    for story, room, view in index.views():
        if view.online - dying != there:
            yield Case("presence", f"{story.name} in {room}: {_unlike(view.online, there)}", person=story.name)


def _unlike(names: set[str], there: set[str]) -> str:
    return f"missing {sorted(there - names)}, too many {sorted(names - there)}"


def presence_of_the_dead(index: _Index) -> Iterator[Case]:
    """Nobody is taken for online long after death. Whoever got a list without them need not be told."""
    for dead in index.stories:
        until = dead.died_at + ONLINE_AT_MOST_S
        if dead.died_at == FOREVER or until > index.evidence.ended:
            continue
        for story in index.living:
            for room in story.views:
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


def presence_flaps(index: _Index) -> Iterator[Case]:
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


# Ends that should not be -----------------------------------------------------------------------------------


def stuck(index: _Index) -> Iterator[Case]:
    for story in index.living:
        for write in story.writes:
            if not write.is_settled:
                yield Case("stuck", f"{story.name}'s {write.kind} {write.number} has no answer", (write,), story.name)
        for room, view in story.views.items():
            if not view.is_live:
                yield Case("stuck", f"{story.name} did not catch up in {room}", person=story.name)


def sent_away(index: _Index) -> Iterator[Case]:
    """Nobody was banned, so nobody may be told to stay away."""
    for story in index.stories:
        if story.sent_away is not None:
            at, code = story.sent_away
            yield Case("sent away", f"{story.name} was closed with {code}", person=story.name, at=at)


def unexplained(index: _Index) -> Iterator[Case]:
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


def errors(index: _Index) -> Iterator[Case]:
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


def complaints(index: _Index) -> Iterator[Case]:
    """A traceback in a server's log."""
    for found in COMPLAINT.finditer(index.evidence.logs):
        if not any(known.search(found[0]) for known in KNOWN_COMPLAINTS):
            yield Case("complaints", found[0])


CHECKS: tuple[Callable[[_Index], Iterator[Case]], ...] = (
    lost_posts,
    lost_on_the_way,
    lost_changes,
    doubled_rows,
    doubled_texts,
    doubled_acks,
    reordered_before_eyes,
    reordered_by_author,
    reordered_places,
    reordered_numbers,
    ghosts,
    ghost_reactions,
    different_from_database,
    different_states,
    different_from_written,
    late,
    presence_at_the_end,
    presence_of_the_dead,
    presence_flaps,
    stuck,
    sent_away,
    unexplained,
    errors,
    complaints,
)
