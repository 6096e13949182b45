"""One change of a room, encoded once in the cluster; and how many of them fit into a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chat import limits

from . import codec


class Change(NamedTuple):
    """The state of the message at `seq` since change number `version`, encoded once in the cluster.

    `blob`: the bytes of a binary frame. `event`: what is told live, where that is less than the state; None: the state
    itself. `ordinal`: which message of the room it is, counted from 1.
    """

    version: int
    seq: int
    body: bytes
    blob: bytes | None = None
    event: bytes | None = None
    ordinal: int = 0

    @property
    def live(self) -> bytes:
        """What is told to those who were here before."""
        return self.body if self.event is None else self.event


def fitting(changes: Iterable[Change], limit: int | None = None, share: int = 1) -> tuple[list[Change], bool]:
    """As many of the first ones as fit into a page, one in any case, `limit` at most; and whether there are more.

    No more are taken from `changes` than it needs to know that. `share`: a half of the page, a third of it.
    """
    page: list[Change] = []
    left_bytes = limits.PAGE_LIMIT_BYTES // share
    for change in changes:
        left_bytes -= len(change.body)
        if len(page) == limit or (page and left_bytes < 0):
            return page, True
        page.append(change)
    return page, False


def without_overtaken(changes: list[Change]) -> list[Change]:
    """Leave out edits and reactions that a later state of the same message contains; the next one says from where.

    New messages stay: a simple dialect shows nothing else.
    """
    newest_state = {change.seq: change.version for change in changes if change.event is None}
    if len(changes) == len(newest_state):
        return changes
    kept: list[Change] = []
    complete_to = changes[0].version - 1
    for change in changes:
        if change.version != change.seq and change.version < newest_state.get(change.seq, 0):
            continue
        if change.version > complete_to + 1:
            change = change._replace(event=codec.complete_from(change.live, complete_to))
        kept.append(change)
        complete_to = change.version
    return kept


class Head(NamedTuple):
    """A room's numbers as they are kept."""

    room_id: int
    epoch: str
    head: int
    floor: int
    title: str = ""


class Around(NamedTuple):
    """The message at a place among those around it, in order of place; whether there are others on either side."""

    changes: list[Change]
    earlier: bool
    later: bool


class Page(NamedTuple):
    """States of messages in the order asked for. Catching up: complete up to `head`, `more` beyond it.

    `moved`: messages that were created up to there too, and changed beyond it; without them a page would have holes.
    """

    changes: list[Change]
    head: int
    more: bool
    moved: list[Change] = []
