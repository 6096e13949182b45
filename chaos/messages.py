"""Checks of messages: none lost, doubled, reordered, made up or different."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from .history import Message, Row, Shown, Write
from .index import Case, Index


def lost_posts(index: Index) -> Iterator[Case]:
    for post in index.posts:
        if post.acks and not index.rows_of[post.room, post.author, post.nonce]:
            yield Case("lost", f"{post.text[:40]!r} was acknowledged and is not in the database", (post,))


def lost_on_the_way(index: Index) -> Iterator[Case]:
    for story, room, view in index.views():
        for row in index.evidence.kept.rooms.get(room, ()):
            if row.seq not in view.messages:
                what = f"{room} {row.seq} is in the database and never reached {story.name}"
                yield Case("lost", what, index.post_at(room, row.seq), story.name)


def lost_changes(index: Index) -> Iterator[Case]:
    """An acknowledged edit, deletion or reaction that the database does not show, nor a later one by the same."""
    for (room, seq, _, aspect), writes in _changes_by_place(index).items():
        row = index.row_at.get((room, seq))
        if row is None:
            continue
        allowed = _possible(writes)
        if allowed and not any(_shows(row, write) for write in allowed):
            yield Case("lost", f"{room} {seq}: the acknowledged {aspect} is undone", tuple(writes[-4:]))


def _changes_by_place(index: Index) -> dict[tuple[str, int, str, str], list[Write]]:
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


def doubled_rows(index: Index) -> Iterator[Case]:
    for (room, author, nonce), rows in index.rows_of.items():
        if len(rows) > 1:
            seqs = ", ".join(str(row.seq) for row in rows)
            post = index.post_by_nonce.get((room, author, nonce))
            yield Case("doubled", f"{author}'s nonce {nonce} is at {room} {seqs}", (post,) if post else ())


def doubled_texts(index: Index) -> Iterator[Case]:
    """The author's counter in the text, whatever became of the nonce."""
    first: dict[tuple[str, str], str] = {}
    for room, row in index.rows:
        if (found := re.match(r"(\S+ #\d+)", row.text)) is not None:
            place = f"{room} {row.seq}"
            if (known := first.setdefault((row.author, found[1]), place)) != place:
                yield Case("doubled", f"{found[1]!r} is at {known} and at {place}", index.post_at(room, row.seq))


def doubled_acks(index: Index) -> Iterator[Case]:
    taken: dict[tuple[str, int], Write] = {}
    for post in index.posts:
        seqs = {ack["seq"] for ack in post.acks}
        if len(seqs) > 1:
            yield Case("doubled", f"{post.nonce} was acknowledged as {sorted(seqs)}", (post,))
        for seq in seqs:
            other = taken.setdefault((post.room, seq), post)
            if other is not post:
                yield Case("doubled", f"{post.room} {seq} was acknowledged to two", (other, post))


def reordered_before_eyes(index: Index) -> Iterator[Case]:
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


def reordered_by_author(index: Index) -> Iterator[Case]:
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


def reordered_places(index: Index) -> Iterator[Case]:
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


def reordered_numbers(index: Index) -> Iterator[Case]:
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


def ghosts(index: Index) -> Iterator[Case]:
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


def ghost_reactions(index: Index) -> Iterator[Case]:
    asked = {(w.room, w.seq, w.emoji, w.author) for w in index.writes if w.kind == "react"}
    for room, row in index.rows:
        for emoji, names in row.reactions.items():
            for name in names:
                if (room, row.seq, emoji, name) not in asked:
                    yield Case("ghost", f"{room} {row.seq}: nobody asked for {emoji} of {name}")


def different_from_database(index: Index) -> Iterator[Case]:
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


def different_states(index: Index) -> Iterator[Case]:
    """One number, two states."""
    for known, first, other, second in index.evidence.states.contradictions:
        what = f"{known['room']} change {known['version']}: {first} was told {known}, {second} was told {other}"
        yield Case("different", what, index.post_at(known["room"], known["seq"]))


def different_from_written(index: Index) -> Iterator[Case]:
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
